/** The worker's side of steering: accepts or not, keeps to its share of the connections, tells them to stop. */
import { request } from "../../otp/gen-server/call.js";
import { processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { clock } from "../../otp/time/clock.js";
import type { Boot, LimitsRequest } from "../channel/messages.js";
import { type DescriptorUse, FreeDescriptors } from "./free-descriptors.js";

export class WorkerLimits {
  suspended: boolean;
  /** Of the connections of all workers, what the primary allows this one. */
  #share: number;
  readonly #freeDescriptors: FreeDescriptors;
  readonly #shutdown: number;
  readonly #tell: () => void;

  /** @param tell sends the primary the numbers of this moment */
  constructor(
    { maxConnections, suspended, shutdown }: Boot,
    tell: () => void,
    log: ConstructorParameters<typeof FreeDescriptors>[0],
  ) {
    this.#share = maxConnections;
    this.suspended = suspended;
    this.#freeDescriptors = new FreeDescriptors(log);
    this.#shutdown = shutdown;
    this.#tell = tell;
  }

  /** Connections at most. */
  get maxConnections(): number {
    return Math.min(this.#share, this.#freeDescriptors.room);
  }

  /** Told each second how many descriptors are in use. */
  heedDescriptors(use: DescriptorUse): void {
    const before = this.maxConnections;
    this.#freeDescriptors.heed(use, this.#share);
    if (this.maxConnections !== before) void this.reconsider();
  }

  async answer(asked: LimitsRequest): Promise<unknown> {
    if (asked.name === "cut") return this.#cut();
    if (asked.name === "accept") {
      this.suspended = !asked.accept;
      const state = await askListener(asked.accept ? "resume" : "suspend");
      this.#tell();
      return state;
    }
    this.#share = asked.maxConnections;
    const supervisor = connections();
    if (supervisor) supervisor.maxChildren = asked.maxConnections;
    return this.reconsider();
  }

  /** Other numbers hold from now on: the listener may have to stop accepting, or may go on. */
  reconsider(): Promise<string> {
    return askListener("limit");
  }

  /** As when their supervisor stops them: each says goodbye in its own time, and who takes too long is killed. */
  #cut(): number {
    const supervisor = connections();
    if (!supervisor) return 0;
    const left = supervisor.children().flatMap((pid) => processOf(pid) ?? []);
    for (const one of left) one.receiveExit(supervisor.pid, "shutdown");
    clock.setTimeout(
      () => {
        for (const one of left) one.receiveExit(supervisor.pid, "kill");
      },
      this.#shutdown,
      true,
    );
    return left.length;
  }
}

function connections(): DynamicSupervisor<[]> | undefined {
  return whereis("connections")?.process as DynamicSupervisor<[]> | undefined;
}

/** @returns its state as the tree shows it; while it is being started it will find out for itself */
async function askListener(name: string): Promise<string> {
  if (!whereis("listener")) return "starting";
  const state = await request("listener", name, []).catch(() => "down");
  return state === "listening" ? "running" : String(state);
}

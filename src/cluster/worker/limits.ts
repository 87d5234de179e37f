/** Applies the primary's decisions in this worker: accept or suspend, connection limit, shutdown of all connections. */
import { request } from "../../otp/gen-server/call.js";
import { processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Boot, LimitsRequest } from "../channel/messages.js";
import { type DescriptorUse, FreeDescriptors } from "./free-descriptors.js";

/** Milliseconds between two counts of the descriptors while they are short: clients may wait for them. */
const RECOUNT = 200;

export class WorkerLimits {
  suspended: boolean;
  /** This worker's share of `--max-connections`. */
  #share: number;
  readonly #freeDescriptors: FreeDescriptors;
  readonly #shutdown: number;
  #recount: TimerRef = undefined;
  readonly #sendSnapshot: () => void;

  constructor(
    { maxConnections, suspended, shutdown }: Boot,
    sendSnapshot: () => void,
    log: ConstructorParameters<typeof FreeDescriptors>[0],
  ) {
    this.#share = maxConnections;
    this.suspended = suspended;
    this.#freeDescriptors = new FreeDescriptors(log);
    this.#shutdown = shutdown;
    this.#sendSnapshot = sendSnapshot;
  }

  /** The share, or less where file descriptors are short. */
  get maxConnections(): number {
    return Math.min(this.#share, this.#freeDescriptors.room);
  }

  /**
   * Called with every snapshot.
   * @param count counts them again
   */
  updateDescriptors(use: DescriptorUse, count: () => DescriptorUse): void {
    const before = this.maxConnections;
    this.#freeDescriptors.update(use, this.#share);
    if (this.maxConnections !== before) void this.recheck();
    if (this.#freeDescriptors.room >= this.#share) return;
    this.#recount ??= clock.setTimeout(
      () => {
        this.#recount = undefined;
        this.updateDescriptors(count(), count);
      },
      RECOUNT,
      true,
    );
  }

  async answer(asked: LimitsRequest): Promise<unknown> {
    if (asked.name === "shutdown-connections") return this.#shutdownConnections();
    if (asked.name === "accept") {
      this.suspended = !asked.accept;
      const state = await callListener(asked.accept ? "resume" : "suspend");
      this.#sendSnapshot();
      return state;
    }
    this.#share = asked.maxConnections;
    const supervisor = connections();
    if (supervisor) supervisor.maxChildren = asked.maxConnections;
    return this.recheck();
  }

  /** Has the listener compare its connections with the limit and the quota, of which one has changed. */
  recheck(): Promise<string> {
    return callListener("limit");
  }

  /** As at the end of `connections`: exit signal `shutdown` to each, and `kill` after the shutdown time. */
  #shutdownConnections(): number {
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

/** @returns the listener's state as the tree shows it; a listener that is being started reads the limits itself */
async function callListener(name: string): Promise<string> {
  if (!whereis("listener")) return "starting";
  const state = await request("listener", name, []).catch(() => "down");
  return state === "listening" ? "running" : String(state);
}

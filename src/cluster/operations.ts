/** What the outside may ask of the running program, answered from what the primary knows and its workers say. */
import { clock } from "../otp/clock.js";
import { parsePid } from "../otp/pid.js";
import { processOf } from "../otp/process.js";
import { exit } from "../otp/signals.js";
import type { Control, ProgramInfo, Readiness, TreeNode } from "./control.js";
import type { WorkerRequest } from "./envelope.js";
import { flags, inspect, showAddress } from "./picture.js";
import type { Primary, PrimaryOptions, Slot } from "./primary.js";
import { WorkerProcess } from "./worker-process.js";

export class Operations implements Control {
  readonly #primary: Primary;
  readonly #options: PrimaryOptions;

  constructor(primary: Primary, options: PrimaryOptions) {
    this.#primary = primary;
    this.#options = options;
  }

  async tree(connections: number): Promise<TreeNode> {
    const { root } = this.#primary;
    const own = root ? root.links.flatMap((pid) => (pid.worker === 0 ? (processOf(pid) ?? []) : [])) : [];
    const admins = own.map((process): TreeNode => {
      const detail = `${this.#options.admin()} + control socket`;
      return { pid: process.pid.toString(), name: process.label, kind: "admin", detail, children: [] };
    });
    const workers = this.#primary.slots.flatMap(({ process }) =>
      process ? this.#drawWorker(process, connections) : [],
    );
    return {
      pid: root?.pid.toString() ?? "<0.1>",
      name: "drover",
      kind: "supervisor",
      detail: root ? `${flags(root)}, ${root.restartsLeft} restarts left` : "stopped",
      children: [...admins, ...(await Promise.all(workers))],
    };
  }

  async #drawWorker(process: WorkerProcess, connections: number): Promise<TreeNode> {
    const tree =
      process.serving && process.alive ? await process.request({ name: "tree", connections }) : undefined;
    const { restarts } = this.#primary.slots[process.slot - 1] as Slot;
    const what =
      process.state === "running"
        ? tree
          ? `up ${duration(process.uptimeMs)}`
          : "not answering"
        : process.state;
    return {
      pid: process.pid.toString(),
      name: `worker ${process.slot}`,
      kind: "worker",
      detail: `${what}${restarts > 0 ? `, restarted ${restarts}` : ""}`,
      osPid: process.osPid,
      state: process.state,
      children: tree ? [tree as TreeNode] : [],
    };
  }

  async info(): Promise<ProgramInfo> {
    const { config, version, protocol, metrics } = this.#options;
    const { active, accepted, closed } = metrics.connections();
    return {
      name: config.name,
      version,
      node: process.version,
      osPid: process.pid,
      uptimeSeconds: Math.round((clock.now() - this.#primary.startedAt) / 1000),
      protocol: protocol.name,
      address: showAddress(this.#primary.address.address, this.#primary.address.port),
      admin: this.#options.admin(),
      transport: this.#options.transport,
      workers: this.#primary.slots.map(({ slot, process: worker, restarts }) => ({
        worker: slot,
        osPid: worker?.osPid ?? 0,
        state: worker?.state ?? "down",
        restarts,
      })),
      connections: { active, accepted, closed },
      restartsLeft: this.#primary.root?.restartsLeft ?? 0,
    };
  }

  async inspect(text: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const pid = parsePid(text);
    const worker = pid && this.#primary.slots[pid.worker - 1]?.process;
    if (!pid) return undefined;
    if (pid.worker > 0 && pid.serial > 1) {
      return (
        worker &&
        (this.#ask(worker, { name: "inspect", serial: pid.serial }) as Promise<
          Record<string, unknown> | undefined
        >)
      );
    }
    const found = pid.worker === 0 ? processOf(pid) : worker;
    if (!found?.alive) return undefined;
    if (!(found instanceof WorkerProcess)) return inspect(found);
    const { osPid, state, uptimeMs, serving } = found;
    return { ...inspect(found), osPid, state, uptimeSeconds: Math.round(uptimeMs / 1000), ...serving };
  }

  async kill(text: string, reason: string): Promise<boolean> {
    const pid = parsePid(text);
    if (!pid) return false;
    const worker = this.#primary.slots[pid.worker - 1]?.process;
    if (pid.worker > 0 && pid.serial > 1) {
      return worker
        ? (await this.#ask(worker, { name: "kill", serial: pid.serial, reason })) === true
        : false;
    }
    const found = pid.worker === 0 ? processOf(pid) : worker;
    if (!found?.alive) return false;
    exit(found.pid, reason);
    return true;
  }

  #ask(worker: WorkerProcess, request: WorkerRequest): Promise<unknown> {
    return worker.serving && worker.alive ? worker.request(request) : Promise.resolve(undefined);
  }

  stop(): void {
    this.#options.onStop();
  }

  config(): readonly unknown[] {
    return this.#options.explain();
  }

  metrics(): Promise<string> {
    this.#primary.updateRestartsLeft();
    return this.#options.metrics.render();
  }

  health(): Readiness {
    const workers = this.#running();
    return { ok: workers > 0, status: workers > 0 ? "ok" : "no worker is running", workers };
  }

  ready(): Readiness {
    const workers = this.#running();
    const accepting = this.#primary.slots.some(
      ({ process, last }) => process?.state === "running" && (last?.gauges.listenerRunning ?? 1) > 0,
    );
    if (this.#primary.stopping) return { ok: false, status: "stopping", workers };
    if (workers === 0) return { ok: false, status: "starting", workers };
    return { ok: accepting, status: accepting ? "ready" : "no worker is accepting", workers };
  }

  #running(): number {
    return this.#primary.slots.filter(({ process }) => process?.state === "running").length;
  }
}

/** `4s`, `12m`, `3h`, `9d`. */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/**
 * Restart of one worker that runs: it accepts no more, its connections finish, and its supervisor starts the next one,
 * which does not count as a restart. Meanwhile the other workers accept; where there are none, clients wait in the backlog.
 */
import { Refusal } from "../../control/errors.js";
import type { Restarted } from "../../control/program.js";
import type { Pid } from "../../otp/process/pid.js";
import { restartChild, terminateChild } from "../../otp/supervisor/supervisor.js";
import type { Primary } from "./primary.js";
import { startFailure } from "./start-failure.js";
import { WorkerDrain, type WorkerDrainOptions } from "./worker-drain.js";
import { activeConnections, type WorkerSlot } from "./worker-slot.js";

export class RestartWorker {
  readonly #primary: Primary;
  readonly #drain: WorkerDrain;

  constructor(primary: Primary, options: WorkerDrainOptions) {
    this.#primary = primary;
    this.#drain = new WorkerDrain(options);
  }

  /** Called when a worker has changed. */
  check(): void {
    this.#drain.check();
  }

  /**
   * Resolves when the new worker accepts.
   * @param deadlineMs time for connections to end by themselves; they are told to stop at once where no other worker accepts
   * @throws Refusal `unknown` when there is no such worker; `conflict` during another change, or when it does not start
   */
  async run(worker: number, deadlineMs: number): Promise<Restarted> {
    const slot = this.#primary.pool.slots[worker - 1];
    if (!slot) throw new Refusal("unknown", `no worker ${worker}: ${this.#workers()}`);
    const change = this.#primary.beginChange(`a restart of worker ${worker}`);
    try {
      return await this.#replace(slot, deadlineMs);
    } finally {
      slot.removing = false;
      change.end();
    }
  }

  #workers(): string {
    const { length } = this.#primary.pool.slots;
    return length === 1 ? "there is worker 1" : `there are workers 1 to ${length}`;
  }

  async #replace(slot: WorkerSlot, deadlineMs: number): Promise<Restarted> {
    const { pool } = this.#primary;
    await pool.refreshSnapshots();
    const before = slot.process?.osPid ?? 0;
    const connections = activeConnections(slot);
    let stopped = connections;
    if (pool.slots.some((one) => one !== slot && one.process?.state === "running")) {
      slot.removing = true;
      await pool.suspension.apply(slot);
      stopped = await this.#drain.run([slot], deadlineMs);
      slot.removing = false;
    }
    await startWorkerAgain(this.#primary, slot);
    return { worker: slot.slot, before, osPid: slot.process?.osPid ?? 0, connections, stopped };
  }
}

/**
 * Stops the worker, which gives its connections the shutdown time, and starts the next one.
 * @throws Refusal `conflict` when the program stops, or it does not start
 */
export async function startWorkerAgain(primary: Primary, slot: WorkerSlot): Promise<void> {
  const id = `worker ${slot.slot}`;
  const root = (): Pid => {
    if (!primary.root) throw new Refusal("conflict", "the program is stopping");
    return primary.root.pid;
  };
  // One that stands at a breakpoint goes on, and hears of its stop.
  primary.pool.inspectors?.close(slot.slot);
  await terminateChild(root(), id);
  // Asked for: neither a restart nor counted as one.
  slot.retrying = true;
  const result = await restartChild(root(), id);
  if (!(typeof result === "object" && "error" in result)) return;
  if (primary.stopping) throw new Refusal("conflict", "the program is stopping");
  throw new Refusal("conflict", `${id} did not start: ${startFailure(result.error).message}`);
}

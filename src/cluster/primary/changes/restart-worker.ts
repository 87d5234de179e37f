/**
 * Restart of one worker that runs: it accepts no more, its connections finish, and its supervisor starts the next one,
 * which does not count as a restart. Meanwhile the other workers accept; where there are none, clients wait in the backlog.
 */
import { Refusal } from "../../../control/errors.js";
import type { Restarted } from "../../../control/program.js";
import type { Pid } from "../../../otp/process/pid.js";
import { restartChild, terminateChild } from "../../../otp/supervisor/supervisor.js";
import { clock } from "../../../otp/time/clock.js";
import type { Log } from "../../../telemetry/log/log.js";
import type { Primary } from "../primary.js";
import { startFailure } from "../workers/start-failure.js";
import { retryPause } from "../workers/start-retry.js";
import { activeConnections, type WorkerSlot } from "../workers/worker-slot.js";
import { WorkerDrain, type WorkerDrainOptions } from "./worker-drain.js";

export interface RestartWorkerOptions extends WorkerDrainOptions {
  readonly log: Pick<Log, "warn">;
}

export class RestartWorker {
  readonly #primary: Primary;
  readonly #log: Pick<Log, "warn">;
  readonly #drain: WorkerDrain;

  constructor(primary: Primary, options: RestartWorkerOptions) {
    this.#primary = primary;
    this.#log = options.log;
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
    const failure = await startWorkerAgain(this.#primary, slot);
    if (failure) {
      this.#retryLater(slot, failure.error);
      throw didNotStart(this.#primary, slot, failure.error);
    }
    return { worker: slot.slot, before, osPid: slot.process?.osPid ?? 0, connections, stopped };
  }

  /** A child that was stopped on request stays down when its start fails, as in OTP: it is started until it serves. */
  #retryLater(slot: WorkerSlot, reason: unknown): void {
    const { pool, stopping } = this.#primary;
    if (stopping) return;
    clock.setTimeout(() => void this.#retry(slot), retryPause(slot, pool.serving, reason, this.#log), true);
  }

  async #retry(slot: WorkerSlot): Promise<void> {
    const { root, stopping, pool } = this.#primary;
    if (!root || stopping || pool.slots[slot.slot - 1] !== slot) return;
    slot.retrying = true;
    const failure = await startChildAgain(root.pid, slot).catch(() => undefined);
    // Another restart, or a change of the number of workers, has the slot.
    if (failure && !TAKEN.includes(failure.error)) this.#retryLater(slot, failure.error);
  }
}

/** Errors of `restartChild` for a child that is not down. */
const TAKEN: readonly unknown[] = ["running", "restarting", "not_found"];

/**
 * Stops the worker, which gives its connections the shutdown time, and starts the next one.
 * @returns why it did not start
 * @throws Refusal `conflict` when the program stops
 */
export async function startWorkerAgain(primary: Primary, slot: WorkerSlot): Promise<StartError | undefined> {
  const root = (): Pid => {
    if (!primary.root) throw new Refusal("conflict", "the program is stopping");
    return primary.root.pid;
  };
  // One that stands at a breakpoint goes on, and hears of its stop.
  primary.pool.inspectors?.close(slot.slot);
  await terminateChild(root(), idOf(slot));
  // Asked for: neither a restart nor counted as one.
  slot.retrying = true;
  return startChildAgain(root(), slot);
}

interface StartError {
  readonly error: unknown;
}

async function startChildAgain(root: Pid, slot: WorkerSlot): Promise<StartError | undefined> {
  const result = await restartChild(root, idOf(slot));
  return typeof result === "object" && "error" in result ? result : undefined;
}

/** Why a worker that was to be started again is not there. */
export function didNotStart(primary: Primary, slot: WorkerSlot, error: unknown): Refusal {
  if (primary.stopping) return new Refusal("conflict", "the program is stopping");
  return new Refusal("conflict", `${idOf(slot)} did not start: ${startFailure(error).message}`);
}

function idOf({ slot }: WorkerSlot): string {
  return `worker ${slot}`;
}

/** The traces that run, wherever the process is: of the primary's own, and of workers, whose lines arrive here. */

import { WorkerSilent } from "../../../control/errors.js";
import type { TraceLine } from "../../../control/trace.js";
import type { Pid } from "../../../otp/process/pid.js";
import type { Process } from "../../../otp/process/process.js";
import { traceLine } from "../../inspect/trace-line.js";
import { traceProcess } from "../../inspect/tracer.js";
import type { WorkerProcess } from "../worker-process.js";

type OnLine = (line: TraceLine) => void;

/** A trace of a process in a worker. */
interface Remote {
  readonly worker: WorkerProcess;
  readonly pid: Pid;
  readonly onLine: OnLine;
}

export class Traces {
  readonly #remote = new Map<number, Remote>();
  #last = 0;

  /** Follows a process of the primary. */
  here(process: Process, signal: AbortSignal, onLine: OnLine): void {
    const stop = traceProcess(process, onLine);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  }

  /**
   * Follows a process of a worker.
   * @returns whether there is one
   * @throws WorkerSilent
   */
  async there(worker: WorkerProcess, pid: Pid, signal: AbortSignal, onLine: OnLine): Promise<boolean> {
    const id = ++this.#last;
    this.#remote.set(id, { worker, pid, onLine });
    const end = (): void => {
      // Also to one that has not answered: it may still begin, once it wakes up.
      if (this.#remote.delete(id)) worker.tell({ t: "untrace", id });
    };
    signal.addEventListener("abort", end);
    const found = await worker.request({ name: "trace", serial: pid.serial, id });
    if (found === true) return true;
    end();
    if (found === undefined) throw new WorkerSilent(pid.worker);
    return false;
  }

  /** A line has come from a worker. */
  arrived(id: number, line: TraceLine): void {
    const remote = this.#remote.get(id);
    if (line.what === "end") this.#remote.delete(id);
    remote?.onLine(line);
  }

  /** A worker has ended, and what was followed in it as well. */
  ended(worker: WorkerProcess): void {
    for (const [id, remote] of this.#remote) {
      if (remote.worker === worker)
        this.arrived(id, traceLine(remote.pid, "end", { text: "the worker has ended" }));
    }
  }
}

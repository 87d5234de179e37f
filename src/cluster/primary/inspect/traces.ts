/** Active traces of processes in the primary and in workers. */

import { WorkerSilent } from "../../../control/errors.js";
import type { TraceLine } from "../../../control/trace.js";
import type { Pid } from "../../../otp/process/pid.js";
import type { Process } from "../../../otp/process/process.js";
import { traceLine } from "../../inspect/trace-line.js";
import { traceProcess } from "../../inspect/tracer.js";
import type { WorkerProcess } from "../workers/worker-process.js";

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

  /** Traces a process of the primary. */
  startLocal(process: Process, signal: AbortSignal, onLine: OnLine): void {
    const stop = traceProcess(process, onLine);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  }

  /**
   * Traces a process of a worker.
   * @returns whether the process exists
   * @throws WorkerSilent when the worker does not answer
   */
  async startRemote(worker: WorkerProcess, pid: Pid, signal: AbortSignal, onLine: OnLine): Promise<boolean> {
    const id = ++this.#last;
    this.#remote.set(id, { worker, pid, onLine });
    const end = (): void => {
      // Also to a worker that has not answered: it may start the trace when its event loop runs again.
      if (this.#remote.delete(id)) worker.notify({ t: "untrace", id });
    };
    signal.addEventListener("abort", end);
    const found = await worker.request({ name: "trace", serial: pid.serial, id });
    if (found === true) return true;
    end();
    if (found === undefined) throw new WorkerSilent(pid.worker);
    return false;
  }

  /** Passes on a line that a worker has sent. */
  received(id: number, line: TraceLine): void {
    const remote = this.#remote.get(id);
    if (line.what === "end") this.#remote.delete(id);
    remote?.onLine(line);
  }

  /** Ends the traces of a worker that has ended. */
  workerEnded(worker: WorkerProcess): void {
    for (const [id, remote] of this.#remote) {
      if (remote.worker === worker)
        this.received(id, traceLine(remote.pid, "end", { text: "the worker has ended" }));
    }
  }
}

/** What a worker shows of itself to the primary: lists, what processes hold, traces, and what it logs. */

import { Pid, thisWorker } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { wallTime } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";
import type { ToPrimary, ViewRequest } from "../channel/messages.js";
import { listConnections } from "../inspect/connection-list.js";
import { RateLimit } from "../inspect/rate-limit.js";
import { stateView } from "../inspect/state-text.js";
import { traceProcess } from "../inspect/tracer.js";

/** Log records a second; the rest is counted. */
const MOST_RECORDS = 100;

export class WorkerViews {
  readonly #log: Log;
  readonly #post: (message: ToPrimary) => void;
  /** What ends each trace, by the primary's number for it. */
  readonly #traces = new Map<number, () => void>();
  readonly #rateLimit = new RateLimit(MOST_RECORDS, (more) => this.#summarise(more));

  constructor(log: Log, followed: boolean, post: (message: ToPrimary) => void) {
    this.#log = log;
    this.#post = post;
    this.follow(followed);
  }

  /** What is important is told always: the primary keeps the last of it. */
  follow(all: boolean): void {
    this.#log.follow(all ? "info" : "warn", (line) => {
      if (this.#rateLimit.admits()) this.#post({ t: "record", d: line });
    });
  }

  /** `null`: no such process. */
  answer(request: ViewRequest): unknown {
    if (request.name === "connections") return listConnections(request.query);
    const process = processOf(new Pid(thisWorker(), request.serial));
    if (!process) return null;
    if (request.name === "state") return stateView(process);
    const { id } = request;
    const stop = traceProcess(process, (line) => {
      if (line.what === "end") this.#traces.delete(id);
      this.#post({ t: "trace", id, d: line });
    });
    this.#traces.set(id, stop);
    return true;
  }

  untrace(id: number): void {
    this.#traces.get(id)?.();
    this.#traces.delete(id);
  }

  #summarise(more: number): void {
    const record = {
      level: "warn",
      time: new Date(wallTime()).toISOString(),
      worker: thisWorker(),
      suppressed: more,
      msg: `… and ${more} more records in the last second, which are only in the log`,
    };
    this.#post({ t: "record", d: JSON.stringify(record) });
  }
}

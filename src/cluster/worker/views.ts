/** Views into a worker, for the primary: connection lists, process states, traces and log records. */

import { Pid, thisWorker } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { wallTime } from "../../otp/time/clock.js";
import type { LineLevel } from "../../telemetry/log/levels.js";
import type { Log } from "../../telemetry/log/log.js";
import type { ViewRequest } from "../channel/requests.js";
import type { Diagnostic } from "../channel/send-queue.js";
import { RateLimit } from "../inspect/rate-limit.js";
import { stateView } from "../inspect/state-text.js";
import { traceProcess } from "../inspect/tracer.js";
import { membershipFields } from "./memberships.js";

/** Log records sent per second; the number of the rest is sent. */
const RECORDS_PER_SECOND = 100;

export class WorkerViews {
  readonly #log: Log;
  readonly #post: (message: Diagnostic) => void;
  /** Functions that stop a trace, by the primary's id for it. */
  readonly #traces = new Map<number, () => void>();
  readonly #rateLimit = new RateLimit(RECORDS_PER_SECOND, (suppressed) => this.#sendSuppressed(suppressed));

  constructor(log: Log, level: LineLevel, post: (message: Diagnostic) => void) {
    this.#log = log;
    this.#post = post;
    this.follow(level);
  }

  /** @param level of the records that are sent, and above */
  follow(level: LineLevel): void {
    this.#log.follow(level, (line) => {
      if (this.#rateLimit.allows()) this.#post({ t: "record", d: line });
    });
  }

  /** The reply to a view request; `null` when there is no such process. */
  answer(request: ViewRequest): unknown {
    const process = processOf(new Pid(thisWorker(), request.serial));
    if (!process) return null;
    if (request.name === "state") return stateView(process, membershipFields(process));
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

  #sendSuppressed(suppressed: number): void {
    const record = {
      level: "warn",
      time: new Date(wallTime()).toISOString(),
      worker: thisWorker(),
      suppressed,
      msg: `${suppressed} more records in the last second are only in the log of the worker`,
    };
    this.#post({ t: "record", d: JSON.stringify(record) });
  }
}

/**
 * Why the primary's supervisor gave up, in one line. Its own exit reason is `shutdown`, as in OTP; the cause is the last
 * failure of a child, in the report before.
 */
import { type SupervisorReport, supervisorReports } from "../../otp/events.js";
import { startFailure } from "./workers/start-failure.js";

export class GiveUpCause {
  /** `undefined` unless the restart intensity was reached. */
  text: string | undefined = undefined;
  readonly #supervisor: string;
  readonly #onReport = (report: unknown): void => this.#reported(report as SupervisorReport);
  #lastFailure = "";

  constructor(supervisor: string) {
    this.#supervisor = supervisor;
  }

  start(): void {
    supervisorReports.subscribe(this.#onReport);
  }

  stop(): void {
    supervisorReports.unsubscribe(this.#onReport);
  }

  #reported({ supervisor, errorContext, reason, offender }: SupervisorReport): void {
    if (supervisor !== this.#supervisor) return;
    const cause = startFailure(reason).message;
    if (errorContext === "child_terminated") this.#lastFailure = `${offender.id} ended: ${cause}`;
    else if (errorContext === "start_error") this.#lastFailure = `${offender.id} did not start: ${cause}`;
    else if (reason === "reached_max_restart_intensity")
      this.text = `too many restarts (--max-restarts, --max-seconds), the last because ${this.#lastFailure}`;
  }
}

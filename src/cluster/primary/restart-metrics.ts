/** Metrics of the primary's supervisor: restarts of its children, supervisor reports, and restarts left. */
import { progressReports, type SupervisorReport, supervisorReports } from "../../otp/events.js";
import type { Supervisor } from "../../otp/supervisor/supervisor.js";
import type { Metrics } from "../../telemetry/metrics/metrics.js";

const SUPERVISOR = "drover";
/** Children that are no workers. */
const OWN: readonly string[] = ["admin", "exchange"];

export class RestartMetrics {
  readonly #metrics: Metrics;
  readonly #root: () => Supervisor | undefined;
  readonly #onReport = (report: unknown): void => this.#reported(report as SupervisorReport);
  readonly #onProgress = (): void => this.update();

  constructor(metrics: Metrics, root: () => Supervisor | undefined) {
    this.#metrics = metrics;
    this.#root = root;
  }

  /** Creates the series of a child with 0 restarts. */
  expect(child: string): void {
    this.#metrics.restarted(SUPERVISOR, child, 0);
  }

  count(child: string): void {
    this.#metrics.restarted(SUPERVISOR, child);
  }

  start(): void {
    supervisorReports.subscribe(this.#onReport);
    progressReports.subscribe(this.#onProgress);
  }

  stop(): void {
    supervisorReports.unsubscribe(this.#onReport);
    progressReports.unsubscribe(this.#onProgress);
  }

  /** Updates `restarts_left`; also called before each scrape, because restarts leave the 60 s window with time. */
  update(): void {
    const root = this.#root();
    if (root) this.#metrics.restartsLeft(SUPERVISOR, root.restartsLeft);
  }

  #reported({ supervisor, errorContext, offender }: SupervisorReport): void {
    this.#metrics.supervisorReport(errorContext);
    // Restarts of workers are counted when they start.
    const { id = "" } = offender;
    if (supervisor === SUPERVISOR && errorContext === "child_terminated" && OWN.includes(id)) this.count(id);
    this.update();
  }
}

/**
 * Prometheus metrics, in the primary. Workers push a snapshot once a second and at exit, so a scrape never waits
 * for a worker: a stopped or dying worker is shown with its last snapshot.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metric } from "prom-client";
// Not from its index, which loads Node's HTTP clients for the push gateway.
import Registry from "prom-client/lib/registry.js";
import type { AdminChange } from "../../admin/events.js";
import type { ConnectionTotals, ListenerNumbers, Stats, WorkerNumbers } from "../../control/stats.js";
import type { OwnLayout } from "../../tcp/metrics/definition.js";
import type { OutgoingCounts } from "../../tcp/observe/events.js";
import { droppedLines } from "../log/dropped-lines.js";
import { connectionTotals, listenerNumbers, reasonTotals, workerNumbers } from "./chart-numbers.js";
import { OsProcess } from "./os-process.js";
import { GROUP_SERIES } from "./series/group-series.js";
import { HANDLER_SECONDS } from "./series/handler-series.js";
import { CLOSED_SERIES, SERIES } from "./series/metric-names.js";
import { closedByOwn, ownSeries, withOwnReasons } from "./series/own-series.js";
import type {
  ExchangeSample,
  LabelledCount,
  ListenerLabels,
  MetricsState,
  PrimaryNumbers,
  Sample,
  SeriesRow,
} from "./series/series-row.js";
import type { Snapshot } from "./snapshot.js";
import { type ListenerTotals, type WorkerState, WorkerTotals } from "./worker-totals.js";

export type { WorkerState } from "./worker-totals.js";

export interface MetricsOptions {
  readonly version: string;
  /** Node.js version. Default: `process.version`. */
  readonly node?: string;
  /** In the order of the snapshots; at least one. */
  readonly listeners: readonly ListenerLabels[];
  readonly transport: string;
  /** Whether a protocol takes messages of groups. Default: false. */
  readonly groups?: boolean;
  /** Metrics and close reasons of the protocols. Default: none. */
  readonly own?: OwnLayout;
  /** Whether workers measure handler latency (`--handler-latency on`). Default: false. */
  readonly handlerLatency?: boolean;
  /** Initial restart budget of each supervisor in the primary, by name. */
  readonly restartsLeft?: Readonly<Record<string, number>>;
}

/** Maximum number of values of the label `child`; further children count as `other`. */
const MAX_CHILDREN = 500;
/** Sampling interval of the primary's event-loop lag. */
const LAG_RESOLUTION_MS = 100;

interface RestartCount {
  readonly supervisor: string;
  readonly child: string;
  count: number;
}

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #workers = new Map<number, WorkerTotals>();
  readonly #reports = new Map<string, number>();
  readonly #restarts = new Map<string, RestartCount>();
  /** Certificates that are served; set by the primary. */
  certificates: () => MetricsState["certificates"] = () => [];
  /** Accept queues of the listeners; set by the primary. */
  acceptQueues: () => MetricsState["acceptQueues"] = () => ({ waiting: [], overflows: undefined });
  readonly #certificateReloads = new Map<string, number>();
  readonly #adminChanges = new Map<string, LabelledCount>();
  #descriptorsExhausted = 0;
  /** By slot number. */
  readonly #startFailures = new Map<number, number>();
  /** By slot. */
  readonly #recycles = new Map<number, number>();
  readonly #restartsLeft: Map<string, number>;
  readonly #osProcess = new OsProcess();
  readonly #delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  /** Reads the present numbers of the exchange. */
  exchange: (() => ExchangeSample | undefined) | undefined = undefined;
  /** Input of all rows, collected once per scrape. */
  #state: MetricsState;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#restartsLeft = new Map(Object.entries(options.restartsLeft ?? {}));
    this.#delay.enable();
    this.#state = this.#collect();
    const { own = { metrics: [], reasons: [] } } = options;
    const rows = [
      ...SERIES.map((row) => (row.name === CLOSED_SERIES ? withOwnReasons(row, own) : row)),
      ...ownSeries(own),
      ...(options.groups ? GROUP_SERIES : []),
      ...(options.handlerLatency ? [HANDLER_SECONDS] : []),
    ];
    for (const row of rows) register(row, this.#registry, () => this.#state);
  }

  /** Takes the numbers of a worker, all of one moment. */
  update(worker: number, snapshot: Snapshot, outgoing: readonly OutgoingCounts[] = []): void {
    this.#totals(worker).update(snapshot, outgoing);
  }

  /**
   * A worker's OS process has exited: its totals stay, and its open connections count as closed with reason
   * `worker_died`. Call this after its last message: snapshots that arrive later are ignored.
   */
  retire(worker: number): void {
    this.#totals(worker).retire();
  }

  /** A worker slot was removed by `scale`: its totals stay, its gauges disappear. */
  remove(worker: number): void {
    this.#totals(worker).setState("removed");
  }

  workerState(worker: number, state: WorkerState): void {
    this.#totals(worker).setState(state);
  }

  /** Counts a message for a process of this worker that the primary has dropped. */
  droppedMessage(worker: number): void {
    this.#totals(worker).channelMessagesDropped++;
  }

  /** Counts a restart by a supervisor of the primary. `by` 0 creates the series before the first restart. */
  restarted(supervisor: string, child: string, by = 1): void {
    const known = this.#restarts.has(`${supervisor}\n${child}`) || this.#restarts.size < MAX_CHILDREN;
    const name = known ? child : "other";
    const key = `${supervisor}\n${name}`;
    const restarts = this.#restarts.get(key) ?? { supervisor, child: name, count: 0 };
    this.#restarts.set(key, restarts);
    restarts.count += by;
  }

  /** Counts a worker that was replaced for its memory. */
  recycled(worker: number): void {
    this.#recycles.set(worker, (this.#recycles.get(worker) ?? 0) + 1);
  }

  /** Counts a worker that failed to start. `by` 0 creates the series before the first failure. */
  workerStartFailed(worker: number, by = 1): void {
    this.#startFailures.set(worker, (this.#startFailures.get(worker) ?? 0) + by);
  }

  /** Counts a reload of the certificates of one listener. */
  certificatesReloaded(result: string): void {
    this.#certificateReloads.set(result, (this.#certificateReloads.get(result) ?? 0) + 1);
  }

  /** Counts a change that was asked for from outside. Actions, ways and results are a closed set. */
  changedFromOutside({ action, via, result }: Pick<AdminChange, "action" | "via" | "result">): void {
    const labels = [action, via, result];
    const counted = this.#adminChanges.get(labels.join(" ")) ?? { labels, count: 0 };
    this.#adminChanges.set(labels.join(" "), counted);
    counted.count++;
  }

  /** The primary has no file descriptor left. */
  outOfDescriptors(): void {
    this.#descriptorsExhausted++;
  }

  restartsLeft(supervisor: string, left: number): void {
    this.#restartsLeft.set(supervisor, left);
  }

  /** Counts a report of a supervisor in the primary. */
  supervisorReport(context: string): void {
    this.#reports.set(context, (this.#reports.get(context) ?? 0) + 1);
  }

  /** Sums over all worker slots, including exited workers. */
  connections(): { readonly active: number; readonly accepted: number; readonly closed: number } {
    const { active, accepted, closed } = this.totals();
    return { active, accepted, closed };
  }

  /** Numbers of one worker slot, for charts. */
  numbers(worker: number): WorkerNumbers {
    return workerNumbers(this.#workers.get(worker));
  }

  /** Sums of one listener over all worker slots, including exited workers. @param at its place in the snapshots */
  listenerNumbers(at: number): ListenerNumbers {
    return listenerNumbers(
      [...this.#workers.values()].map(({ listeners }) => listeners[at] as ListenerTotals),
    );
  }

  /** Totals over all worker slots, including exited workers: they never decrease. */
  totals(): ConnectionTotals & { readonly restarts: number } {
    const restarts = [...this.#restarts.values()].reduce((sum, { count }) => sum + count, 0);
    const slots = [...this.#workers.values()].flatMap(({ listeners }) => listeners);
    return { ...connectionTotals(slots), restarts };
  }

  /** Closed and refused connections by reason, over all worker slots; without reasons that did not occur. */
  reasons(): Pick<Stats, "closedBy" | "refusedBy"> {
    const workers = [...this.#workers.values()];
    const totals = reasonTotals(workers.flatMap(({ listeners }) => listeners));
    return { ...totals, closedBy: closedByOwn(totals.closedBy, workers, this.#options.own) };
  }

  /** The Prometheus text exposition. */
  render(): Promise<string> {
    this.#state = this.#collect();
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #totals(worker: number): WorkerTotals {
    const totals =
      this.#workers.get(worker) ?? new WorkerTotals(this.#options.listeners.length, this.#options.own);
    this.#workers.set(worker, totals);
    return totals;
  }

  #collect(): MetricsState {
    const { version, node = process.version, transport, listeners } = this.#options;
    const protocols = [...new Set(listeners.map(({ protocol }) => protocol))];
    return {
      build: [version, node, transport, protocols.join(" ")],
      listeners,
      workers: this.#workers,
      reports: this.#reports,
      restarts: [...this.#restarts.values()],
      certificates: this.certificates(),
      acceptQueues: this.acceptQueues(),
      adminChanges: this.#adminChanges,
      certificateReloads: this.#certificateReloads,
      descriptorsExhausted: this.#descriptorsExhausted,
      restartsLeft: this.#restartsLeft,
      startFailures: this.#startFailures,
      recycles: this.#recycles,
      own: this.#own(),
      exchange: this.exchange?.(),
    };
  }

  #own(): PrimaryNumbers {
    const eventLoopLagSeconds = takeLag(this.#delay);
    return { ...this.#osProcess.take(), eventLoopLagSeconds, logLinesDropped: droppedLines() };
  }
}

/** Maximum event-loop lag since the last call, in seconds. */
function takeLag(delay: ReturnType<typeof monitorEventLoopDelay>): number {
  // The histogram records the sampling interval plus the lag; `max` is 0 before the second sample.
  const lag = Math.max(0, delay.max / 1e9 - LAG_RESOLUTION_MS / 1000);
  delay.reset();
  return lag;
}

/**
 * Registers a metric whose values are computed at scrape time. prom-client's own counters would hold every number
 * twice and look every label up again, which makes a scrape take 1.5 times as long.
 */
function register(
  { name, help, kind, labels, samples }: SeriesRow,
  registry: Registry,
  state: () => MetricsState,
): void {
  const value = ([values, value, suffix = ""]: Sample) => {
    const texts = Object.fromEntries(values.map((text, at) => [labels[at], text]));
    return { labels: texts, value, metricName: `${name}${suffix}` };
  };
  const get = async () => ({
    name,
    help,
    type: kind,
    aggregator: "sum",
    values: samples(state()).map(value),
  });
  // prom-client's `Metric` is a class; the registry uses only these two members.
  registry.registerMetric({ name, get } as unknown as Metric);
}

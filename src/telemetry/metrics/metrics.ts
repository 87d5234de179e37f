/**
 * The primary's numbers, as series. Workers push what they have counted once a second and at their end, so a
 * scrape asks nobody and waits for nobody: a worker that is stopped or dying is shown as what it last said.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Metric, Registry } from "prom-client";
import type { ConnectionTotals, WorkerNumbers } from "../../control/stats.js";
import { CLOSE_REASONS } from "../../tcp/observe/events.js";
import { droppedLines } from "../log/dropped-lines.js";
import { slotNumbers, slotTotals } from "./chart-numbers.js";
import { OsProcess } from "./os-process.js";
import { HANDLERS, ROWS } from "./series.js";
import type { Facts, Own, Row, Sample } from "./series-row.js";
import type { Snapshot } from "./snapshot.js";
import { Slot, type WorkerState } from "./worker-totals.js";

export type { WorkerState } from "./worker-totals.js";

export interface MetricsOptions {
  readonly version: string;
  /** Default that of this OS process. */
  readonly node?: string;
  /** Name of the listener. */
  readonly listener: string;
  /** Name of the protocol. */
  readonly protocol: string;
  readonly transport: string;
  /** Whether workers measure how long handlers take. Default false. */
  readonly handlerLatency?: boolean;
  /** The restarts that each supervisor of the primary allows at first, by its name. */
  readonly restartsLeft?: Readonly<Record<string, number>>;
}

/** Children told apart by name at most; what is over is counted as `other`. */
const MOST_CHILDREN = 500;
/** How often it is looked whether the primary's event loop turns, in milliseconds. */
const LAG_RESOLUTION = 100;

interface Restarts {
  readonly supervisor: string;
  readonly child: string;
  count: number;
}

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #slots = new Map<number, Slot>();
  readonly #reports = new Map<string, number>();
  readonly #restarts = new Map<string, Restarts>();
  readonly #restartsLeft: Map<string, number>;
  readonly #osProcess = new OsProcess();
  readonly #delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION });
  /** Of the scrape that is being answered: one look for all rows. */
  #facts: Facts;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#restartsLeft = new Map(Object.entries(options.restartsLeft ?? {}));
    this.#delay.enable();
    this.#facts = this.#gather();
    for (const row of options.handlerLatency ? [...ROWS, HANDLERS] : ROWS)
      register(row, this.#registry, () => this.#facts);
  }

  /** A worker's numbers have arrived. */
  update(worker: number, snapshot: Snapshot): void {
    this.#slot(worker).update(snapshot);
  }

  /**
   * A worker's OS process has ended: what it had counted stays, and the connections that it had count as
   * closed with `worker_died`. What arrives of it later is passed over, so call this after its last message.
   */
  retire(worker: number): void {
    this.#slot(worker).retire();
  }

  /** A worker's place is no more: what was counted there stays, and nothing else is shown of it. */
  remove(worker: number): void {
    this.#slot(worker).become("removed");
  }

  workerState(worker: number, state: WorkerState): void {
    this.#slot(worker).become(state);
  }

  /** A supervisor of the primary has started a child again. `by` 0 makes the series visible before it happens. */
  restarted(supervisor: string, child: string, by = 1): void {
    const known = this.#restarts.has(`${supervisor}\n${child}`) || this.#restarts.size < MOST_CHILDREN;
    const name = known ? child : "other";
    const key = `${supervisor}\n${name}`;
    const restarts = this.#restarts.get(key) ?? { supervisor, child: name, count: 0 };
    this.#restarts.set(key, restarts);
    restarts.count += by;
  }

  restartsLeft(supervisor: string, left: number): void {
    this.#restartsLeft.set(supervisor, left);
  }

  /** A report of one of the primary's own supervisors. */
  supervisorReport(context: string): void {
    this.#reports.set(context, (this.#reports.get(context) ?? 0) + 1);
  }

  /** Over all workers, dead ones too. */
  connections(): { readonly active: number; readonly accepted: number; readonly closed: number } {
    let [active, accepted, closed] = [0, 0, 0];
    for (const slot of this.#slots.values()) {
      active += slot.gauge("active") ?? 0;
      accepted += slot.total("accepted");
      for (const reason of CLOSE_REASONS) closed += slot.closed(reason);
    }
    return { active, accepted, closed };
  }

  /** Of one worker's place, for charts; without what is to be had of the process that holds it. */
  numbers(worker: number): WorkerNumbers {
    return slotNumbers(this.#slots.get(worker));
  }

  /** Over all workers' places, dead ones too: they never fall. */
  totals(): ConnectionTotals & { readonly restarts: number } {
    const restarts = [...this.#restarts.values()].reduce((sum, { count }) => sum + count, 0);
    return { ...slotTotals(this.#slots.values()), restarts };
  }

  /** The text that Prometheus reads. */
  render(): Promise<string> {
    this.#facts = this.#gather();
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #slot(worker: number): Slot {
    const slot = this.#slots.get(worker) ?? new Slot();
    this.#slots.set(worker, slot);
    return slot;
  }

  #gather(): Facts {
    const { version, node = process.version, transport, protocol, listener } = this.#options;
    return {
      build: [version, node, transport, protocol],
      listener,
      protocol,
      slots: this.#slots,
      reports: this.#reports,
      restarts: [...this.#restarts.values()],
      restartsLeft: this.#restartsLeft,
      own: this.#own(),
    };
  }

  #own(): Own {
    const eventLoopLagSeconds = takeLag(this.#delay);
    return { ...this.#osProcess.take(), eventLoopLagSeconds, logLinesDropped: droppedLines() };
  }
}

/** How late it was at most since this was asked last, in seconds. */
function takeLag(delay: ReturnType<typeof monitorEventLoopDelay>): number {
  // The time between two looks is recorded; `max` is 0 before the second one.
  const lag = Math.max(0, delay.max / 1e9 - LAG_RESOLUTION / 1000);
  delay.reset();
  return lag;
}

/**
 * A metric that is filled when it is asked for: numbers live in one place only, and it is not the library. Its own
 * counters would look every label up again, and a scrape would take half as long again.
 */
function register({ name, help, kind, labels, samples }: Row, registry: Registry, facts: () => Facts): void {
  const value = ([values, value, suffix = ""]: Sample) => {
    const texts = Object.fromEntries(values.map((text, at) => [labels[at], text]));
    return { labels: texts, value, metricName: `${name}${suffix}` };
  };
  const get = async () => ({
    name,
    help,
    type: kind,
    aggregator: "sum",
    values: samples(facts()).map(value),
  });
  // A `Metric` is a class there, of which the registry uses this much.
  registry.registerMetric({ name, get } as unknown as Metric);
}

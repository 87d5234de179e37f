/**
 * The primary's numbers, as series. Workers push what they have counted once a second and at their end, so a
 * scrape asks nobody and waits for nobody: a worker that is stopped or dying is shown as what it last said.
 */
import { Counter, Gauge, Registry } from "prom-client";
import { CLOSE_REASONS } from "../tcp/events.js";
import type { Facts, OwnNumber, Row } from "./row.js";
import { ROWS } from "./series.js";
import { Slot, type WorkerState } from "./slot.js";
import type { Snapshot } from "./snapshot.js";

export type { WorkerState } from "./slot.js";

export interface MetricsOptions {
  readonly version: string;
  /** Default that of this OS process. */
  readonly node?: string;
  /** Name of the listener. */
  readonly listener: string;
  /** Name of the protocol. */
  readonly protocol: string;
  readonly transport: string;
  /** The restarts that each supervisor of the primary allows at first, by its name. */
  readonly restartsLeft?: Readonly<Record<string, number>>;
}

/** Children told apart by name at most; what is over is counted as `other`. */
const MOST_CHILDREN = 500;

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
  /** Of the scrape that is being answered: one look for all rows. */
  #facts: Facts;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#restartsLeft = new Map(Object.entries(options.restartsLeft ?? {}));
    this.#facts = this.#gather();
    for (const row of ROWS) register(row, this.#registry, () => this.#facts);
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
      own: ownNumbers(),
    };
  }
}

/** A metric that is filled when it is asked for: numbers live in one place only, and it is not the library. */
function register(row: Row, registry: Registry, facts: () => Facts): void {
  const { name, help, labels } = row;
  const shape = { name, help, labelNames: labels, registers: [registry] };
  const fill = (reset: () => void, put: (labels: Record<string, string | number>, value: number) => void) => {
    reset();
    for (const [values, value] of row.samples(facts())) {
      put(Object.fromEntries(labels.map((label, at) => [label, values[at] as string | number])), value);
    }
  };
  if (row.kind === "counter") {
    const counter = new Counter({
      ...shape,
      collect: () =>
        fill(
          () => counter.reset(),
          (at, value) => counter.inc(at, value),
        ),
    });
  } else {
    const gauge = new Gauge({
      ...shape,
      collect: () =>
        fill(
          () => gauge.reset(),
          (at, value) => gauge.set(at, value),
        ),
    });
  }
}

/** Of this OS process, now. */
function ownNumbers(): Record<OwnNumber, number> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    cpuUserSeconds: user / 1e6,
    cpuSystemSeconds: system / 1e6,
    residentBytes: rss,
    startTimeSeconds: performance.timeOrigin / 1000,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
  };
}

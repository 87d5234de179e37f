/** Metrics and close reasons of the protocols of an OS process: their layout, and the numbers in it. */
import type { Counters } from "../observe/counters.js";
import type { AnyProtocol } from "../protocol/protocol.js";
import {
  layoutLength,
  type MetricDefinition,
  metricLength,
  metricName,
  type OwnLayout,
} from "./definition.js";
import type { Metric, Metrics } from "./instruments.js";

/** What is known of a protocol, as data. */
export interface ProtocolMetrics {
  readonly protocol: string;
  readonly metrics: readonly MetricDefinition[];
  readonly reasons: readonly string[];
}

export function metricsOf({ name, metrics, reasons = [] }: AnyProtocol): ProtocolMetrics {
  const definitions = Object.entries((metrics ?? {}) as Metrics).map(([key, metric]) =>
    define(name, key, metric),
  );
  return { protocol: name, metrics: definitions, reasons: [...reasons] };
}

function define(protocol: string, key: string, metric: Metric): MetricDefinition {
  const { kind, help, labels, buckets } = metric;
  return { name: metricName(protocol, key, kind), ...{ kind, help, labels, buckets } };
}

/**
 * The layout of several protocols: of two with the same name the first defines.
 * @param byListener families of the protocols of each listener
 */
export function ownLayout(byListener: readonly (readonly ProtocolMetrics[])[]): OwnLayout {
  const protocols = new Map<string, ProtocolMetrics>();
  for (const one of byListener.flat()) if (!protocols.has(one.protocol)) protocols.set(one.protocol, one);
  return {
    metrics: [...protocols.values()].flatMap(({ metrics }) => metrics),
    reasons: byListener.map((family) => [...new Set(family.flatMap(({ reasons }) => reasons))]),
  };
}

/** A listener of this OS process, for its numbers. */
export interface NumberedListener {
  /** Families of its protocols. */
  readonly protocols: readonly AnyProtocol[];
  readonly counters: Counters;
}

/** The numbers of this OS process, copied at each snapshot. */
export class OwnNumbers {
  readonly layout: OwnLayout;
  readonly #listeners: readonly NumberedListener[];
  /** By the metric's name: two protocols of one name, as of two listeners, are added up. */
  readonly #sources = new Map<string, Set<Metric>>();

  constructor(listeners: readonly NumberedListener[]) {
    this.#listeners = listeners;
    this.layout = ownLayout(listeners.map(({ protocols }) => protocols.map(metricsOf)));
    for (const { name, metrics = {} } of listeners.flatMap(({ protocols }) => protocols))
      for (const [key, metric] of Object.entries(metrics as Metrics)) {
        const full = metricName(name, key, metric.kind);
        this.#sources.set(full, (this.#sources.get(full) ?? new Set()).add(metric));
      }
  }

  /** `undefined` where no protocol has any. */
  take(): Float64Array | undefined {
    const length = layoutLength(this.layout);
    if (length === 0) return undefined;
    const numbers = new Float64Array(length);
    let at = 0;
    for (const definition of this.layout.metrics) {
      for (const metric of this.#sources.get(definition.name) ?? []) add(numbers, at, metric.numbers);
      at += metricLength(definition);
    }
    for (const [index, reasons] of this.layout.reasons.entries()) {
      const { own } = (this.#listeners[index] as NumberedListener).counters;
      for (const reason of reasons) numbers[at++] = own[reason] ?? 0;
    }
    return numbers;
  }
}

function add(to: Float64Array, at: number, numbers: Float64Array): void {
  for (const [index, number] of numbers.entries()) to[at + index] = (to[at + index] ?? 0) + number;
}

/**
 * Metrics of a protocol: `counter`, `gauge` and `histogram`. Label values are declared, so that every series has its place
 * in an array of numbers: counting is one write, and no client can create a series.
 */
import { type MetricKind, OTHER, seriesCount, seriesWidth } from "./definition.js";

/** Labels by name, each with the values that it can have. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

/** One value for each label. */
export type LabelsOf<L extends LabelSets> = { readonly [K in keyof L]: L[K][number] };

/** Without labels there is nothing to name. */
type Labelled<L extends LabelSets, Rest extends unknown[]> = keyof L extends never
  ? Rest
  : [labels: LabelsOf<L>, ...Rest];

/** Series that one metric may have. */
const MAX_SERIES = 1_000;
const NAME = /^[a-z][A-Za-z0-9_]{0,63}$/;

abstract class Instrument<L extends LabelSets> {
  abstract readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly (readonly [name: string, values: readonly string[]])[];
  readonly buckets: readonly number[];
  /** All series, one behind the other. */
  readonly numbers: Float64Array;
  /** Place of each value of each label. */
  readonly #places: readonly (readonly [name: string, stride: number, places: ReadonlyMap<string, number>])[];
  readonly #width: number;

  constructor(kind: MetricKind, help: string, labels: LabelSets, buckets: readonly number[] = []) {
    this.help = help;
    this.buckets = Object.freeze([...buckets]);
    checkLabels(kind, help, labels);
    this.labels = Object.entries(labels).map(([name, values]) => [name, [...values]] as const);
    this.#width = seriesWidth({ kind, buckets });
    this.numbers = new Float64Array(seriesCount(this) * this.#width);
    let stride = 1;
    this.#places = this.labels.map(([name, values]) => {
      const place = [name, stride, new Map(values.map((value, at) => [value, at]))] as const;
      stride *= values.length + 1;
      return place;
    });
  }

  /** Index of the first number of a series. A value that was not declared is `other`. */
  protected at(labels: LabelsOf<L> | undefined): number {
    let series = 0;
    for (const [name, stride, places] of this.#places)
      series +=
        stride *
        (places.get((labels as Record<string, string> | undefined)?.[name] as string) ?? places.size);
    return series * this.#width;
  }

  /** The labels, where there are any, and the number behind them. */
  protected split(given: readonly unknown[]): [at: number, value: number | undefined] {
    if (this.#places.length === 0) return [0, given[0] as number | undefined];
    return [this.at(given[0] as LabelsOf<L> | undefined), given[1] as number | undefined];
  }
}

/** A number that only grows. */
export class Counter<L extends LabelSets = LabelSets> extends Instrument<L> {
  readonly kind = "counter";

  /** `logins.inc({ result: "ok" })`; by 1, or by the number behind the labels. @throws RangeError below 0 */
  inc(...given: Labelled<L, [by?: number]>): void {
    const [at, by = 1] = this.split(given);
    if (!(by >= 0)) throw new RangeError(`a counter only grows, got ${by}`);
    this.numbers[at] = (this.numbers[at] as number) + by;
  }

  /** One series, for a hot path: `const ok = logins.of({ result: "ok" })`, then `ok.inc()` is one write. */
  of(...given: Labelled<L, []>): { inc(by?: number): void } {
    const [at] = this.split(given);
    const { numbers } = this;
    return {
      inc(by = 1) {
        if (by > 0) numbers[at] = (numbers[at] as number) + by;
      },
    };
  }

  /** Count of this OS process, for tests. */
  value(...given: Labelled<L, []>): number {
    return this.numbers[this.split(given)[0]] as number;
  }
}

/** A number that goes up and down; shown as the sum over all workers. */
export class Gauge<L extends LabelSets = LabelSets> extends Instrument<L> {
  readonly kind = "gauge";

  set(...given: Labelled<L, [value: number]>): void {
    const [at, value] = this.split(given);
    this.numbers[at] = Number(value);
  }

  inc(...given: Labelled<L, [by?: number]>): void {
    const [at, by = 1] = this.split(given);
    this.numbers[at] = (this.numbers[at] as number) + by;
  }

  dec(...given: Labelled<L, [by?: number]>): void {
    const [at, by = 1] = this.split(given);
    this.numbers[at] = (this.numbers[at] as number) - by;
  }

  /** Of this OS process, for tests. */
  value(...given: Labelled<L, []>): number {
    return this.numbers[this.split(given)[0]] as number;
  }
}

/** Counts values by upper bounds. */
export class Histogram<L extends LabelSets = LabelSets> extends Instrument<L> {
  readonly kind = "histogram";

  observe(...given: Labelled<L, [value: number]>): void {
    const [at, value = Number.NaN] = this.split(given);
    const { buckets, numbers } = this;
    if (Number.isNaN(value)) throw new RangeError("a histogram observes numbers, got NaN");
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    numbers[at + bucket] = (numbers[at + bucket] as number) + 1;
    const sum = at + buckets.length + 1;
    numbers[sum] = (numbers[sum] as number) + value;
  }

  /** Number of values of this OS process, for tests. */
  count(...given: Labelled<L, []>): number {
    const [at] = this.split(given);
    return this.numbers.subarray(at, at + this.buckets.length + 1).reduce((sum, count) => sum + count, 0);
  }
}

/**
 * A counter: `metrics: { logins: counter("Logins by result", { result: ["ok", "bad"] }) }`, then
 * `conn.metrics.logins.inc({ result: "ok" })`.
 * @param labels each with all values that it can have; others are counted as `other`
 */
export function counter<const L extends LabelSets = Record<never, never>>(
  help: string,
  labels?: L,
): Counter<L> {
  return new Counter<L>("counter", help, labels ?? {});
}

/** A gauge: `conn.metrics.sessions.set(4)`. @param labels as of `counter` */
export function gauge<const L extends LabelSets = Record<never, never>>(help: string, labels?: L): Gauge<L> {
  return new Gauge<L>("gauge", help, labels ?? {});
}

/**
 * A histogram: `rows: histogram("Rows of a batch", [1, 10, 100])`, then `conn.metrics.rows.observe(17)`.
 * @param buckets upper bounds, ascending
 * @param labels as of `counter`
 */
export function histogram<const L extends LabelSets = Record<never, never>>(
  help: string,
  buckets: readonly number[],
  labels?: L,
): Histogram<L> {
  checkBuckets(help, buckets);
  return new Histogram<L>("histogram", help, labels ?? {}, buckets);
}

function checkBuckets(help: string, buckets: unknown): void {
  const ascending = (list: readonly unknown[]) =>
    list.every(
      (bound, at) => Number.isFinite(bound) && (at === 0 || (bound as number) > (list[at - 1] as number)),
    );
  if (Array.isArray(buckets) && buckets.length > 0 && buckets.length <= 50 && ascending(buckets)) return;
  throw new TypeError(
    `histogram(${JSON.stringify(help)}): the buckets must be 1 to 50 ascending numbers, such as histogram("Rows of a batch", [1, 10, 100])`,
  );
}

function checkLabels(kind: MetricKind, help: unknown, labels: LabelSets): void {
  const place = `${kind}(${JSON.stringify(help)})`;
  if (typeof help !== "string" || help === "")
    throw new TypeError(`${kind}: the first argument is its help text, such as ${kind}("Logins by result")`);
  const example = `{ result: ["ok", "bad"] }`;
  if (typeof labels !== "object" || labels === null || Array.isArray(labels))
    throw new TypeError(`${place}: labels must be an object with all values of each, such as ${example}`);
  for (const [name, values] of Object.entries(labels)) {
    if (!NAME.test(name) || name === "le")
      throw new TypeError(`${place}: the name of a label must be a word such as "result", got "${name}"`);
    if (!Array.isArray(values) || values.length === 0 || !values.every(isLabelValue))
      throw new TypeError(`${place}: the label "${name}" must list all its values, such as ${example}`);
    if (new Set(values).size < values.length || values.includes(OTHER))
      throw new TypeError(
        `${place}: the values of the label "${name}" must differ, and none is "${OTHER}", which stands for all that are not listed`,
      );
  }
  const series = seriesCount({ labels: Object.entries(labels) });
  if (series > MAX_SERIES)
    throw new TypeError(`${place}: its labels make ${series} series, and ${MAX_SERIES} are the most`);
}

function isLabelValue(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.length <= 64;
}

/** A metric of any kind. Without its labels: the compiler would take their type from here. */
export interface Metric {
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly (readonly [name: string, values: readonly string[]])[];
  readonly buckets: readonly number[];
  readonly numbers: Float64Array;
}
/** Metrics by their names, which follow that of the protocol: `logins` of `tracker` is `tracker_logins_total`. */
export type Metrics = Readonly<Record<string, Metric>>;

export function isMetric(value: unknown): value is Metric {
  return value instanceof Instrument;
}

/**
 * Metrics and close reasons of protocols in one worker slot, over all OS processes that ran in it: counts of exited OS
 * processes are settled, gauges are only those of the present one.
 */
import { layoutLength, metricLength, type OwnLayout } from "../../tcp/metrics/definition.js";

export class OwnTotals {
  readonly #settled: Float64Array;
  #live: Float64Array | undefined = undefined;
  /** 1 where a number is not settled. */
  readonly #gauges: Uint8Array;

  constructor(layout: OwnLayout) {
    const length = layoutLength(layout);
    this.#settled = new Float64Array(length);
    this.#gauges = new Uint8Array(length);
    let at = 0;
    for (const definition of layout.metrics) {
      const end = at + metricLength(definition);
      if (definition.kind === "gauge") this.#gauges.fill(1, at, end);
      at = end;
    }
  }

  update(numbers: Float64Array): void {
    if (numbers.length === this.#settled.length) this.#live = numbers;
  }

  /** The OS process has exited. */
  settle(): void {
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    for (const [at, number] of live.entries())
      if (this.#gauges[at] === 0) this.#settled[at] = (this.#settled[at] as number) + number;
  }

  value(at: number): number {
    return (this.#settled[at] as number) + (this.#live?.[at] ?? 0);
  }
}

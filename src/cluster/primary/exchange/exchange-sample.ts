/** Numbers of the exchange for the metrics: a counter does not go down when its OS process is restarted. */
import type { ExchangeNumbers } from "../../../exchange/exchange.js";
import type { ExchangeSample, NodesSample } from "../../../telemetry/metrics/series/series-row.js";
import type { ExchangeProcess } from "./exchange-process.js";

const COUNTERS = {
  linkFull: ({ linkFull }: ExchangeNumbers) => linkFull,
  workerDown: ({ workerDown }: ExchangeNumbers) => workerDown,
  malformed: ({ malformed, nodes }: ExchangeNumbers) => malformed + (nodes?.malformed ?? 0),
  contested: ({ contested }: ExchangeNumbers) => contested,
  conflicts: ({ conflicts }: ExchangeNumbers) => conflicts,
  lost: ({ nodes }: ExchangeNumbers) => nodes?.lost ?? 0,
  resyncs: ({ nodes }: ExchangeNumbers) => nodes?.resyncs ?? 0,
  reconnects: ({ nodes }: ExchangeNumbers) => nodes?.carrier.reconnects ?? 0,
  unreachable: ({ nodes }: ExchangeNumbers) => nodes?.dropped.unreachable ?? 0,
  outbox: ({ nodes }: ExchangeNumbers) => nodes?.dropped.outbox ?? 0,
  too_large: ({ nodes }: ExchangeNumbers) => nodes?.dropped.too_large ?? 0,
};
type Counter = keyof typeof COUNTERS;

export class ExchangeSamples {
  /** By OS process: its last report. */
  readonly #reports = new Map<ExchangeProcess, ExchangeNumbers>();

  of(process: ExchangeProcess): ExchangeSample {
    const { numbers } = process;
    if (numbers) this.#reports.set(process, numbers);
    return {
      up: process.state === "running" && !process.unresponsive,
      links: numbers?.links ?? 0,
      waiting: numbers?.waiting ?? [],
      linkFull: this.#total("linkFull"),
      workerDown: this.#total("workerDown"),
      malformed: this.#total("malformed"),
      contested: this.#total("contested"),
      nodes: this.#nodes(numbers?.nodes),
    };
  }

  #total(counter: Counter): number {
    return [...this.#reports.values()].reduce((sum, numbers) => sum + COUNTERS[counter](numbers), 0);
  }

  #nodes(nodes: ExchangeNumbers["nodes"]): NodesSample | undefined {
    if (!nodes) return undefined;
    const states = { joining: 0, up: 0, down: 0 };
    for (const { state } of nodes.nodes) states[state]++;
    const [unreachable, outbox, too_large] = (["unreachable", "outbox", "too_large"] as const).map((one) =>
      this.#total(one),
    ) as [number, number, number];
    return {
      ...{ states, lost: this.#total("lost"), resyncs: this.#total("resyncs") },
      ...{ conflicts: this.#total("conflicts"), clockDifference: nodes.clockDifference },
      dropped: { unreachable, outbox, too_large },
      carrier: { ...nodes.carrier, reconnects: this.#total("reconnects") },
    };
  }
}

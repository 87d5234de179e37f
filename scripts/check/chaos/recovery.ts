// Recovery times: from the end of a fault (of a kill or a hang: from its beginning) until clients are answered on every
// listener, and until all workers accept again.
import type { Crowd } from "./crowd.js";
import type { Fault } from "./faults/fault.js";
import { pause, type Server } from "./server.js";

interface Recovered {
  readonly answeredMs: number;
  readonly wholeMs: number;
  readonly lost: number;
}

interface Before {
  readonly lost: number;
  /** OS pids of the workers, where the fault ends one. */
  readonly workers: readonly number[] | undefined;
}

/** A server that is not whole after this has not recovered. */
const RECOVERY_MS = 15_000;
/** Workers of a primary that was killed may take 15 s to end, and another one cannot bind before; then it starts. */
const START_AGAIN_MS = 20_000;

export class Recovery {
  readonly #rows = new Map<string, Recovered[]>();

  readonly #server: Server;
  readonly #crowd: Crowd;

  constructor(server: Server, crowd: Crowd) {
    this.#server = server;
    this.#crowd = crowd;
  }

  /** @returns what went wrong, if anything */
  async measure(fault: Fault, since: number, before: Before): Promise<string | undefined> {
    const within = this.#server.patience(fault.endsPrimary ? START_AGAIN_MS : RECOVERY_MS);
    const late = () => performance.now() - since > within;
    while (!(await this.#crowd.probe())) {
      if (late()) return `no client was answered in ${(within / 1000).toFixed(1)} s`;
      await pause(20);
    }
    const answeredMs = performance.now() - since;
    while (!(await this.#isWhole(fault, before))) {
      if (late()) return `not all workers accept after ${(within / 1000).toFixed(1)} s`;
      await pause(20);
    }
    const row = { answeredMs, wholeMs: performance.now() - since, lost: this.#crowd.lost - before.lost };
    this.#rows.set(fault.name, [...(this.#rows.get(fault.name) ?? []), row]);
    return undefined;
  }

  async #isWhole(fault: Fault, before: Before): Promise<boolean> {
    const server = this.#server;
    return (
      (await server.isWhole()) && (await replaced(server, before)) && (await (fault.isOver?.(server) ?? true))
    );
  }

  table(): string {
    const head = [
      "fault",
      "times",
      "answered: median, longest",
      "all workers accept: median, longest",
      "connections lost",
    ];
    const rows = [...this.#rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, all]) => [
        name,
        `${all.length}`,
        span(all.map((one) => one.answeredMs)),
        span(all.map((one) => one.wholeMs)),
        `${all.reduce((sum, one) => sum + one.lost, 0)}`,
      ]);
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
    return [head, ...rows]
      .map((row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join("  ")
          .trimEnd(),
      )
      .join("\n");
  }
}

function span(values: number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const show = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  const [below, above] = [(sorted.length - 1) >> 1, sorted.length >> 1];
  return `${show((sorted[below]! + sorted[above]!) / 2)}, ${show(sorted.at(-1)!)}`;
}

/** Whether another worker has taken the place of one that the fault ends. */
async function replaced(server: Server, { workers }: Before): Promise<boolean> {
  return !workers || (await server.workers()).some((osPid) => !workers.includes(osPid));
}

// A run second by second, as it is shown while it goes on and drawn when it is over.
import { errorTotal, type Progress } from "../both-sides/result.js";
import type { ServerSample } from "./server-metrics.js";

export interface Point {
  /** Seconds from the beginning of the load, warm-up excluded. */
  second: number;
  rate: number;
  /** Milliseconds; undefined where nothing came back. */
  p50: number | undefined;
  p99: number | undefined;
  max: number | undefined;
  open: number;
  errors: number;
  /** Restarts of the server's workers since the point before, and its CPU time in seconds so far. */
  restarts?: number;
  cpuSeconds?: number;
}

export class Timeline {
  readonly points: Point[] = [];
  /** Where the present run begins, when several follow one another. */
  #offset = 0;
  #restarts: number | undefined;

  add(
    { elapsedMs, intervalMs, completed, latency, tally }: Progress,
    server: ServerSample | undefined,
  ): Point {
    const seen = latency.count > 0;
    const point: Point = {
      second: this.#offset + elapsedMs / 1_000,
      rate: (completed * 1_000) / intervalMs,
      p50: seen ? latency.percentile(50) : undefined,
      p99: seen ? latency.percentile(99) : undefined,
      max: seen ? latency.maxMs : undefined,
      open: tally.open,
      errors: errorTotal(tally),
    };
    if (server) {
      point.restarts = server.restarts - (this.#restarts ?? server.restarts);
      point.cpuSeconds = server.cpuSeconds;
      this.#restarts = server.restarts;
    }
    this.points.push(point);
    return point;
  }

  /** In parts of one core, from the first second to the last; undefined if there are not two that know it. */
  serverCpu(): number | undefined {
    const seen = this.points.filter(({ cpuSeconds }) => cpuSeconds !== undefined);
    const [first, last] = [seen[0], seen.at(-1)];
    if (!first || !last || first === last) return undefined;
    return (last.cpuSeconds! - first.cpuSeconds!) / (last.second - first.second);
  }

  /** The present run is over; the next one is drawn behind it. */
  endRun(elapsedMs: number): void {
    this.#offset += elapsedMs / 1_000;
  }
}

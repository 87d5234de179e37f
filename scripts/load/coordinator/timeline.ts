// Figures of a run for each second: printed while it runs and drawn in the charts.
import { errorTotal, type Progress } from "../both-sides/result.js";
import type { ServerSample } from "./server-metrics.js";

export interface Point {
  /** Seconds since the start of the load, without warm-up. */
  second: number;
  rate: number;
  /** Milliseconds; undefined in a second without echoes. */
  p50: number | undefined;
  p99: number | undefined;
  max: number | undefined;
  open: number;
  errors: number;
  /** Worker restarts of the server since the previous point, and its CPU time in seconds so far. */
  restarts?: number;
  cpuSeconds?: number;
}

export class Timeline {
  readonly points: Point[] = [];
  /** Start of the current run, in mode ramp, where several follow one another. */
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

  /** Ends the current run; the next one is appended. */
  endRun(elapsedMs: number): void {
    this.#offset += elapsedMs / 1_000;
  }
}

/**
 * Overload of this worker: it stops accepting while its event loop lags or its memory is nearly used up, and closes
 * connections while its memory is. Looked at with each heartbeat, not with each connection or frame; a worker without
 * `--max-lag` and `--max-memory` has none.
 *
 *   event loop: lag >= --max-lag for 1 s ─▶ not accepting ─▶ lag < a half of it for 2 s
 *   memory:     >= 90 % of --max-memory ─▶ not accepting ─▶ < 80 % for 3 s
 *               >= 100 %                ─▶ closes 5 % of its connections, again and again ─▶ < 90 % for 1 s
 *
 * What waits in the backlog meanwhile is accepted by other workers. Memory that stays is the primary's affair
 * (`primary/changes/recycle.ts`).
 */
import { clock } from "../../../otp/time/clock.js";
import type { Log } from "../../../telemetry/log/log.js";
import type { OverloadTerms } from "../../channel/limit-terms.js";
import type { Heartbeat } from "../watch/heartbeat.js";
import { Hysteresis } from "./hysteresis.js";
import type { MemoryUse } from "./memory-use.js";

/** Milliseconds between two rounds of closing connections where garbage was collected since, and where it was not. */
const SHED_EVERY = 1_000;
const SHED_UNCOLLECTED = 3_000;
const MEMORY = { enter: 0.9, leave: 0.8, enterAfter: 0, leaveAfter: 3_000 };
const SHED = { enter: 1, leave: 0.9, enterAfter: 0, leaveAfter: 1_000 };

export interface OverloadOptions {
  readonly log: Pick<Log, "warn" | "info">;
  /** Has a reading with each beat, while there is anything to look at. */
  readonly heartbeat: Pick<Heartbeat, "onBeat">;
  readonly meter: { read(): MemoryUse; collect(): boolean };
  /** The worker accepts, or does so no more. */
  changed(): void;
  /** Closes connections. @returns their number */
  shed(why: string): number;
}

export class Overload {
  readonly #options: OverloadOptions;
  #terms: OverloadTerms = { maxLag: 0, maxMemory: undefined };
  #lag = lagSwitch(0);
  #memory = new Hysteresis(MEMORY);
  #shedding = new Hysteresis(SHED);
  #shedAt = Number.NEGATIVE_INFINITY;
  #shed = 0;
  #readAt = clock.now();
  #lagSince = 0;
  #memorySince = 0;
  /** Milliseconds in which it did not accept. */
  #pausedMs = 0;

  constructor(options: OverloadOptions) {
    this.#options = options;
  }

  /** They may change at any time. Those that allow more end what the old ones switched on; lower ones leave it on. */
  set terms(terms: OverloadTerms) {
    const { accepting } = this;
    const before = this.#terms;
    this.#terms = terms;
    const lagEnds = this.#lag.on && (terms.maxLag || Infinity) > (before.maxLag || Infinity);
    const memoryEnds = this.#memory.on && (terms.maxMemory ?? Infinity) > (before.maxMemory ?? Infinity);
    if (terms.maxLag !== before.maxLag) this.#lag = lagSwitch(terms.maxLag, this.#lag.on && !lagEnds);
    if (memoryEnds) {
      this.#memory = new Hysteresis(MEMORY);
      this.#shedding = new Hysteresis(SHED);
    }
    const now = clock.now();
    if (lagEnds) this.#recovered("event loop", "lag", now - this.#lagSince);
    if (memoryEnds) this.#recovered("memory", "memory", now - this.#memorySince);
    this.#options.heartbeat.onBeat = this.enabled ? (lag) => this.#beat(lag) : undefined;
    if (this.accepting !== accepting) this.#options.changed();
  }

  /** Whether it has anything to look at. */
  get enabled(): boolean {
    return this.#terms.maxLag > 0 || this.#terms.maxMemory !== undefined;
  }

  get accepting(): boolean {
    return !this.#lag.on && !this.#memory.on;
  }

  /** 0: none; 1: it does not accept. */
  get lagLevel(): number {
    return Number(this.#lag.on);
  }

  /** 0: none; 1: it does not accept; 2: it closes connections. */
  get memoryLevel(): number {
    return Number(this.#memory.on) + Number(this.#memory.on && this.#shedding.on);
  }

  /** Seconds since it has too little memory; 0: it has enough. */
  get memorySeconds(): number {
    return this.#memory.on ? (clock.now() - this.#memorySince) / 1_000 : 0;
  }

  get pausedSeconds(): number {
    return this.#pausedMs / 1_000;
  }

  /** @param lag of the event loop, in milliseconds */
  #beat(lag: number): void {
    const now = clock.now();
    const { accepting } = this;
    if (!accepting) this.#pausedMs += now - this.#readAt;
    this.#readAt = now;
    if (this.#lag.read(now, lag)) this.#lagSwitched(now, lag);
    if (this.#terms.maxMemory !== undefined) this.#readMemory(now, this.#terms.maxMemory);
    if (this.accepting !== accepting) this.#options.changed();
  }

  #lagSwitched(now: number, lag: number): void {
    const { maxLag } = this.#terms;
    if (!this.#lag.on) return this.#recovered("event loop", "lag", now - this.#lagSince);
    this.#lagSince = now;
    this.#options.log.warn(
      `Overloaded: event loop blocked for ${Math.round(lag)} ms at a time, --max-lag is ${maxLag} ms: not accepting until it is below ${maxLag / 2} ms`,
      { overload: "lag", lagMs: Math.round(lag) },
    );
  }

  #readMemory(now: number, limit: number): void {
    const { meter, log } = this.#options;
    const part = (use: MemoryUse): number => Math.max(use.bytes / limit, use.heap);
    let use = meter.read();
    const collected = part(use) >= (this.#memory.on ? MEMORY.leave : MEMORY.enter) && meter.collect();
    if (collected) use = meter.read();
    const memory = this.#memory.read(now, part(use));
    const shedding = this.#shedding.read(now, part(use));
    const fields = { overload: "memory", usedBytes: Math.round(use.bytes), maxMemory: limit };
    if (memory && this.#memory.on) {
      this.#memorySince = now;
      log.warn(`Overloaded: ${usedText(use, limit)}: not accepting until it is below 80 %`, fields);
    }
    if (shedding && this.#shedding.on) {
      this.#shed = 0;
      log.warn(`Overloaded: ${usedText(use, limit)}: closing connections until it is below 90 %`, fields);
    } else if (shedding) log.info(`${this.#shed} connections closed for want of memory`, fields);
    if (memory && !this.#memory.on) this.#recovered("memory", "memory", now - this.#memorySince);
    const due = now - this.#shedAt >= (collected ? SHED_EVERY : SHED_UNCOLLECTED);
    if (this.#shedding.on && part(use) >= SHED.leave && due) {
      this.#shedAt = now;
      this.#shed += this.#options.shed(usedText(use, limit));
    }
  }

  #recovered(what: string, overload: string, ms: number): void {
    const more = this.accepting ? "accepting again" : "still not accepting";
    this.#options.log.info(`No longer overloaded (${what}): ${more} after ${(ms / 1_000).toFixed(1)} s`, {
      overload,
      seconds: Math.round(ms / 100) / 10,
    });
  }
}

/** @param maxLag in milliseconds; 0: never on */
function lagSwitch(maxLag: number, on = false): Hysteresis {
  const enter = maxLag === 0 ? Infinity : maxLag;
  const one = new Hysteresis({ enter, leave: enter / 2, enterAfter: 1_000, leaveAfter: 2_000 });
  one.on = on;
  return one;
}

function usedText({ bytes, heap }: MemoryUse, limit: number): string {
  if (heap > bytes / limit) return `${Math.round(heap * 100)} % of the JavaScript heap is in use`;
  const mib = (one: number): number => Math.round(one / 1024 / 1024);
  return `${mib(bytes)} MiB of memory are in use, --max-memory is ${mib(limit)} MiB`;
}

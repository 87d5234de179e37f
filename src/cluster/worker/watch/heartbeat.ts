/**
 * Heartbeat of the event loop: a timer every 100 ms that measures the loop's lag, warns when it is long, and
 * increments a shared counter, by which the watchdog thread sees that the loop is blocked. The CPU time since the last
 * beat tells a handler that computes from a worker that waits: for a core of a busy machine, or in a synchronous call.
 */
import { clock } from "../../../otp/time/clock.js";
import type { Log } from "../../../telemetry/log/log.js";

/** In milliseconds. */
const BEAT_EVERY = 100;
/** Least time between two warnings, in milliseconds. */
const WARN_EVERY = 10_000;

/** CPU time of this OS process so far, in milliseconds: 1 µs per call. That of one thread needs Node 23.9. */
function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export class Heartbeat {
  /** A counter, incremented with every beat; 1 once the worker serves; 1 while a debugger is attached. */
  readonly shared = new Int32Array(new SharedArrayBuffer(12));
  readonly #log: Pick<Log, "warn">;
  readonly #warnAt: number;
  readonly #cpuMs: () => number;
  #beatAt = clock.now();
  /** CPU time at the last beat. */
  #cpuAtBeat: number;
  #longestLag = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  /** Warnings that were left out since the last. */
  #suppressed = 0;
  /** Called with each beat. */
  onBeat: ((lag: number) => void) | undefined = undefined;

  /**
   * @param warnAt lag from which on a warning is logged, in milliseconds
   * @param cpuMs CPU time so far, in milliseconds
   */
  constructor(log: Pick<Log, "warn">, warnAt: number, cpuMs: () => number = ownCpuMs) {
    this.#log = log;
    this.#warnAt = warnAt;
    this.#cpuMs = cpuMs;
    this.#cpuAtBeat = cpuMs();
    this.#schedule();
  }

  /** The longest lag since the last call, in milliseconds. */
  takeLag(): number {
    const lag = Math.max(this.#longestLag, this.#lag());
    this.#longestLag = 0;
    return lag;
  }

  /** From now on a blocked loop keeps clients waiting. */
  serves(): void {
    Atomics.store(this.shared, 1, 1);
  }

  /** While a debugger is attached the loop may stand still: that is no lag. */
  set debugged(on: boolean) {
    Atomics.store(this.shared, 2, on ? 1 : 0);
    this.#beatAt = clock.now();
  }

  #lag(): number {
    if (Atomics.load(this.shared, 2) === 1) return 0;
    return Math.max(0, clock.now() - this.#beatAt - BEAT_EVERY);
  }

  #schedule(): void {
    clock.setTimeout(() => this.#beat(), BEAT_EVERY, true);
  }

  #beat(): void {
    const lag = this.#lag();
    const cpu = this.#cpuMs();
    const ran = cpu - this.#cpuAtBeat;
    this.#beatAt = clock.now();
    this.#cpuAtBeat = cpu;
    Atomics.add(this.shared, 0, 1);
    this.#longestLag = Math.max(this.#longestLag, lag);
    if (lag >= this.#warnAt) this.#warn(lag, ran);
    this.onBeat?.(lag);
    this.#schedule();
  }

  #warn(lag: number, ran: number): void {
    const now = clock.now();
    if (now - this.#warnedAt < WARN_EVERY) {
      this.#suppressed++;
      return;
    }
    const more = this.#suppressed > 0 ? `, and ${this.#suppressed} times more since the last warning` : "";
    const [lagMs, cpuMs] = [Math.round(lag), Math.round(ran)];
    // Half: a handler that computes shares its core with another program at worst.
    const cause =
      ran >= lag / 2
        ? "a handler ran too long; move long computations to a worker thread"
        : `this worker had only ${cpuMs} ms of CPU time in it: the machine is busy, or a handler made a synchronous call that waits`;
    this.#log.warn(`Event loop blocked for ${lagMs} ms${more}: ${cause}`, { lagMs, cpuMs });
    this.#warnedAt = now;
    this.#suppressed = 0;
  }
}

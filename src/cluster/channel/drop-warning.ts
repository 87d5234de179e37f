/** Warning about dropped signals: at the first, then at most every 10 s with their number. */
import { clock } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";
import { MAX_WAITING_MIB } from "./send-queue.js";

/** Least time between two warnings, in milliseconds. */
const WARN_EVERY = 10_000;

export class DropWarning {
  readonly #log: Pick<Log, "warn">;
  readonly #which: string;
  readonly #reader: string;
  #dropped = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param which signals: "for worker 2"
   * @param reader the process at the other end
   */
  constructor(log: Pick<Log, "warn">, which: string, reader: string) {
    this.#log = log;
    this.#which = which;
    this.#reader = reader;
  }

  dropped(): void {
    this.#dropped++;
    const now = clock.now();
    if (now - this.#warnedAt < WARN_EVERY) return;
    const dropped = this.#dropped;
    const messages = dropped === 1 ? "1 message" : `${dropped} messages`;
    this.#log.warn(
      `Dropped ${messages} ${this.#which}: ${this.#reader} reads too slowly, and ${MAX_WAITING_MIB} MiB wait for it`,
      { dropped },
    );
    this.#warnedAt = now;
    this.#dropped = 0;
  }
}

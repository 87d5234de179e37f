/**
 * Log records of all OS processes, for clients that follow the log. Workers always send warnings and errors, other
 * records only while a client follows. The last 100 important records are kept for clients that come later.
 */

import type { LogRecord } from "../../../control/program.js";
import type { Log } from "../../../telemetry/log/log.js";

/** Important records that are kept. */
const KEPT = 100;
const IMPORTANT: readonly unknown[] = ["warn", "error", "fatal"];

type OnRecord = (record: LogRecord) => void;

export class LogRecords {
  readonly #followers = new Set<OnRecord>();
  readonly #kept: LogRecord[] = [];
  readonly #onFollowed: (followed: boolean) => void;

  /**
   * @param log the log of the primary
   * @param onFollowed called with true for the first follower, with false after the last
   */
  constructor(log: Log, onFollowed: (followed: boolean) => void) {
    this.#onFollowed = onFollowed;
    log.follow("info", (line) => this.add(line));
  }

  get followed(): boolean {
    return this.#followers.size > 0;
  }

  /** Adds a line of the log of the primary or of a worker. */
  add(line: string): void {
    const record = recordOf(line);
    if (record === undefined) return;
    if (IMPORTANT.includes(record.level) || record.report !== undefined) {
      this.#kept.push(record);
      if (this.#kept.length > KEPT) this.#kept.shift();
    }
    for (const onRecord of this.#followers) onRecord(record);
  }

  /** Passes the records that are kept, then every new one. */
  follow(signal: AbortSignal, onRecord: OnRecord): void {
    if (signal.aborted) return;
    for (const record of this.#kept) onRecord(record);
    this.#followers.add(onRecord);
    if (this.#followers.size === 1) this.#onFollowed(true);
    signal.addEventListener("abort", () => {
      this.#followers.delete(onRecord);
      if (this.#followers.size === 0) this.#onFollowed(false);
    });
  }
}

/** `undefined` for malformed lines: a protocol can write to the channel of its worker itself. */
function recordOf(line: string): LogRecord | undefined {
  try {
    const record = JSON.parse(line);
    return typeof record === "object" && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}

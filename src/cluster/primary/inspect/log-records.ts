/**
 * What is logged, for those who follow it while it happens. Workers tell what is important always, the rest only
 * while somebody follows. The last important records are kept, for those who come after the trouble.
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
  readonly #onWanted: (wanted: boolean) => void;

  /**
   * @param log of the primary
   * @param onWanted told when the first begins to follow, and when the last has ended
   */
  constructor(log: Log, onWanted: (wanted: boolean) => void) {
    this.#onWanted = onWanted;
    log.follow("info", (line) => this.add(line));
  }

  get wanted(): boolean {
    return this.#followers.size > 0;
  }

  /** A line of a log, here or in a worker. */
  add(line: string): void {
    const record = recordOf(line);
    if (record === undefined) return;
    if (IMPORTANT.includes(record.level) || record.report !== undefined) {
      this.#kept.push(record);
      if (this.#kept.length > KEPT) this.#kept.shift();
    }
    for (const onRecord of this.#followers) onRecord(record);
  }

  /** What is kept comes first. */
  follow(signal: AbortSignal, onRecord: OnRecord): void {
    if (signal.aborted) return;
    for (const record of this.#kept) onRecord(record);
    this.#followers.add(onRecord);
    if (this.#followers.size === 1) this.#onWanted(true);
    signal.addEventListener("abort", () => {
      this.#followers.delete(onRecord);
      if (this.#followers.size === 0) this.#onWanted(false);
    });
  }
}

/** `undefined`: no log has made this. Protocols can write to the channel of their worker, whatever they like. */
function recordOf(line: string): LogRecord | undefined {
  try {
    const record = JSON.parse(line);
    return typeof record === "object" && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}

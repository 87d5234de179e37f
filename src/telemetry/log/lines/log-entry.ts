/** Types of a log line before it is formatted, and of what makes lines of the events of a channel. */
import type { Channel } from "node:diagnostics_channel";
import type { Fields } from "../fields.js";
import type { LineLevel } from "../levels.js";
import type { Limit } from "../rate-limit.js";

/** One log line before formatting. */
export interface LogEntry {
  readonly level: LineLevel;
  readonly message: string;
  fields(): Fields;
  /** Text for `--log-format pretty` instead of message and fields: the SASL form of a report. */
  text?(time: number): string;
  /** Rate-limit key; without one the line is always written. */
  readonly kind?: string;
  /** Limit of that kind; default: 10 lines a second. */
  readonly limit?: Limit;
  /** Written whatever the minimum level is, except `silent`. */
  readonly always?: boolean;
}

export interface LogSource {
  readonly channel: Channel;
  /** Highest level among the channel's lines: below the log's minimum there is no subscription. */
  readonly maxLevel: LineLevel;
  entry(event: any): LogEntry;
}

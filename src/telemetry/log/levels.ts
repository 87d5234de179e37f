/** Log levels. */
import { pino } from "pino";

/** Level of one line. */
export type LineLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";
/** Minimum level of a log; `silent` logs nothing. */
export type Level = LineLevel | "silent";

/** Whether a line of `level` is logged at this minimum level. */
export function passes(level: LineLevel, minimum: Level): boolean {
  const { values } = pino.levels;
  return minimum !== "silent" && (values[level] as number) >= (values[minimum] as number);
}

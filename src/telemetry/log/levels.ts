/** How much is logged. */
import { pino } from "pino";

/** What a line can be. */
export type LineLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";
/** The least that is logged. */
export type Level = LineLevel | "silent";

/** Whether a line is logged where `least` is the least. */
export function passes(level: LineLevel, least: Level): boolean {
  const { values } = pino.levels;
  return least !== "silent" && (values[level] as number) >= (values[least] as number);
}

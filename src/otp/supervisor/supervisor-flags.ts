/** Supervisor flags: strategy, restart intensity and period, auto-shutdown, restart delay. */
import { type Duration, toMs } from "../time/duration.js";
import { type CheckedDelay, checkDelay, type RestartDelay } from "./restart-delay.js";

/** Which children are restarted with a child: none, all, or those started after it. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";
/** Whether exits of significant children stop the supervisor. */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

export interface SupervisorFlags {
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Restarts allowed within `period`; one more stops the supervisor. Default 5. */
  readonly intensity?: number;
  /** Whole seconds. Default `"60s"`. */
  readonly period?: Duration;
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** Not in OTP: delay of restarts, doubled every time. Default: none. */
  readonly restartDelay?: RestartDelay;
}

export interface CheckedFlags {
  readonly strategy: Strategy;
  readonly intensity: number;
  /** In seconds, as OTP counts. */
  readonly period: number;
  readonly autoShutdown: AutoShutdown;
  readonly restartDelay: CheckedDelay | undefined;
}

const STRATEGIES: readonly string[] = ["one_for_one", "one_for_all", "rest_for_one"];
const AUTO_SHUTDOWNS: readonly string[] = ["never", "any_significant", "all_significant"];
const KEYS = ["strategy", "intensity", "period", "autoShutdown", "restartDelay"];

/**
 * Fills in the defaults.
 * @throws TypeError that names the flag, the value and what to write instead
 */
export function checkFlags(id: string, flags: SupervisorFlags): CheckedFlags {
  const wrong = (what: string): never => {
    throw new TypeError(`supervisor ${id}: ${what}`);
  };
  if (typeof flags !== "object" || flags === null) {
    wrong(`flags must be an object such as { intensity: 5, period: "60s" }, got ${String(flags)}`);
  }
  const { strategy = "one_for_one", intensity = 5, autoShutdown = "never" } = flags;
  const unknown = Object.keys(flags).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) wrong(`unknown flag "${unknown}"; the flags are ${KEYS.join(", ")}`);
  if (!STRATEGIES.includes(strategy))
    wrong(`strategy must be ${STRATEGIES.join(", ")}, got ${JSON.stringify(strategy)}`);
  if (!Number.isInteger(intensity) || intensity < 0)
    wrong(`intensity must be a whole number from 0 up, got ${intensity}`);
  if (!AUTO_SHUTDOWNS.includes(autoShutdown)) {
    wrong(`autoShutdown must be ${AUTO_SHUTDOWNS.join(", ")}, got ${JSON.stringify(autoShutdown)}`);
  }
  let restartDelay: CheckedDelay | undefined;
  try {
    restartDelay = checkDelay(flags.restartDelay);
  } catch {
    wrong(
      `restartDelay must be a duration, or { first: "100ms", max: "10s" }, got ${JSON.stringify(flags.restartDelay)}`,
    );
  }
  const period = seconds(flags.period ?? "60s");
  if (period === undefined || period < 1) {
    wrong(`period must be whole seconds such as "60s", got ${JSON.stringify(flags.period)}`);
  }
  return { strategy, intensity, period: period as number, autoShutdown, restartDelay };
}

/** `undefined` when it is not a duration of whole seconds. */
function seconds(duration: Duration): number | undefined {
  try {
    const whole = toMs(duration) / 1000;
    return Number.isInteger(whole) ? whole : undefined;
  } catch {
    return undefined;
  }
}

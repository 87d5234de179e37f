/** Options of a dynamic supervisor: OTP's flags together with the one child spec of a `simple_one_for_one`. */

import type { Pid } from "../../process/pid.js";
import type { Duration } from "../../time/duration.js";
import {
  type CheckedSpec,
  type ChildSpec,
  checkSignificant,
  checkSpec,
  type RestartType,
  type Started,
} from "../child-spec.js";
import type { RestartDelay } from "../restart-delay.js";
import { type AutoShutdown, type CheckedFlags, checkFlags } from "../supervisor-flags.js";

export interface DynamicSupervisorOptions<A extends readonly unknown[]> {
  /** Starts one child, linked to `parent`. Default: `args` is one child spec, of which only `start` is used. */
  start?(parent: Pid, ...args: A): Started | Promise<Started>;
  /** Maximum number of children, including starting and restarting ones; one more is refused with `max_children`. Default `Infinity`. */
  readonly maxChildren?: number;
  /** Default `temporary`. */
  readonly restart?: RestartType;
  /** Shutdown time, one for all children. Default `5000`. */
  readonly shutdown?: "brutal_kill" | Duration | typeof Infinity;
  readonly type?: "worker" | "supervisor";
  /** Whether the exit of a child can stop the supervisor (`autoShutdown`). Default false. */
  readonly significant?: boolean;
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** Default 5. */
  readonly intensity?: number;
  /** Default `"60s"`. */
  readonly period?: Duration;
  /** As the supervisor flag. Default: none. */
  readonly restartDelay?: RestartDelay;
  readonly mfargs?: ChildSpec["mfargs"];
}

const KEYS = [
  "start",
  "maxChildren",
  "restart",
  "shutdown",
  "type",
  "significant",
  "autoShutdown",
  "intensity",
  "period",
  "restartDelay",
  "mfargs",
];

/** @throws TypeError that names the option and the value, and says what to write instead */
export function checkOptions(
  id: string,
  options: DynamicSupervisorOptions<any>,
): { flags: CheckedFlags; spec: CheckedSpec } {
  const { intensity = 5, period = "60s", autoShutdown = "never", maxChildren = Infinity } = options;
  const { restart = "temporary", shutdown = 5000, type = "worker", significant = false } = options;
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`supervisor ${id}: unknown option "${unknown}"; the options are ${KEYS.join(", ")}`);
  }
  if (!(Number.isInteger(maxChildren) || maxChildren === Infinity) || maxChildren < 0) {
    throw new TypeError(
      `supervisor ${id}: maxChildren must be a whole number from 0 up, or Infinity, got ${maxChildren}`,
    );
  }
  const flags = checkFlags(id, {
    intensity,
    period,
    autoShutdown,
    ...(options.restartDelay === undefined ? {} : { restartDelay: options.restartDelay }),
  });
  const mfargs = options.mfargs ?? ([id, "start_link", []] as const);
  const spec = checkSpec({ id, start: () => "ignore", restart, shutdown, type, significant, mfargs });
  checkSignificant(id, autoShutdown, spec);
  return { flags, spec };
}

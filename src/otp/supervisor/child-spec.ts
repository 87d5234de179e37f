/** Child specifications of a supervisor, checked before any child starts. */

import type { ExitReason } from "../process/exit-reason.js";
import type { Pid } from "../process/pid.js";
import { type Duration, toMs } from "../time/duration.js";
import type { AutoShutdown } from "./supervisor-flags.js";

/**
 * When a child is restarted after its exit: `permanent` always, `transient` after an abnormal exit, `temporary` never
 * (its spec is removed).
 */
export type RestartType = "permanent" | "transient" | "temporary";
/** How a child is stopped: by `kill` at once, or by `shutdown`, and `kill` after that time (`Infinity`: never). */
export type Shutdown = "brutal_kill" | number;

/** Module, function and arguments of a start. */
export type Mfa = readonly [module: string, fn: string, args: readonly unknown[]];

/** The result of a `start`: the process, or `ignore` when none is needed. */
export type Started = Pid | "ignore";

export interface ChildSpec {
  /** Unique among its siblings. */
  readonly id: string;
  /**
   * Starts the process, linked to `parent`. An exception is a failed start.
   * @param aborted only with `concurrent`: the start is to end now, in whatever way
   */
  start(parent: Pid, aborted?: AbortSignal): Started | Promise<Started>;
  /** Default `permanent`. */
  readonly restart?: RestartType;
  /** Default `5000` for a worker, `Infinity` for a supervisor. */
  readonly shutdown?: "brutal_kill" | Duration | typeof Infinity;
  /** Default `worker`. */
  readonly type?: "worker" | "supervisor";
  /** Whether its exit can stop the supervisor (`autoShutdown`). Default false. */
  readonly significant?: boolean;
  /** The start function in reports. Default `{id, start, []}`. */
  readonly mfargs?: Mfa;
  /**
   * Not in OTP: called when a restart has failed to start the child. Returns milliseconds until the next attempt, which
   * the restart intensity does not count; `undefined`: at once and counted, as in OTP. Default: as in OTP.
   */
  readonly retryDelay?: RetryDelay;
  /**
   * Not in OTP: for children whose start takes long and needs no other child, such as OS processes. They start, and stop,
   * side by side with concurrent children next to them in the list; a restart does not keep the supervisor from other
   * messages (`one_for_one` only), and to stop the child ends its start at once. Default false.
   */
  readonly concurrent?: boolean;
}

export type RetryDelay = (reason: ExitReason) => number | undefined;

/** A spec with all defaults filled in. */
export interface CheckedSpec {
  readonly id: string;
  start(parent: Pid, aborted?: AbortSignal): Started | Promise<Started>;
  readonly restart: RestartType;
  readonly shutdown: Shutdown;
  readonly type: "worker" | "supervisor";
  readonly significant: boolean;
  readonly mfargs: Mfa;
  readonly retryDelay: RetryDelay | undefined;
  readonly concurrent: boolean;
}

const RESTARTS: readonly string[] = ["permanent", "transient", "temporary"];
const KEYS = [
  ...["id", "start", "restart", "shutdown", "type", "significant", "mfargs"],
  ...["retryDelay", "concurrent"],
];

/**
 * Fills in the defaults.
 * @throws TypeError that names the key, the value and what to write instead
 */
export function checkSpec(spec: ChildSpec): CheckedSpec {
  const wrong = (what: string): never => {
    throw new TypeError(`child spec ${JSON.stringify(spec?.id ?? "?")}: ${what}`);
  };
  if (typeof spec !== "object" || spec === null) {
    throw new TypeError(
      `a child spec is an object like { id: "counter", start: (parent) => … }, got ${String(spec)}`,
    );
  }
  const unknown = Object.keys(spec).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) wrong(`unknown key "${unknown}"; the keys are ${KEYS.join(", ")}`);
  if (typeof spec.id !== "string" || spec.id === "")
    wrong(`"id" must be a non-empty string, unique in its supervisor`);
  if (typeof spec.start !== "function")
    wrong(`"start" must be a function (parent) => Pid: use child(server, args) to make the spec`);
  const { restart = "permanent", type = "worker", significant = false, concurrent = false } = spec;
  if (!RESTARTS.includes(restart))
    wrong(`"restart" must be ${RESTARTS.join(", ")}, got ${JSON.stringify(restart)}`);
  if (type !== "worker" && type !== "supervisor")
    wrong(`"type" must be worker or supervisor, got ${JSON.stringify(type)}`);
  if (typeof significant !== "boolean")
    wrong(`"significant" must be true or false, got ${JSON.stringify(significant)}`);
  if (significant && restart === "permanent")
    wrong(`a permanent child cannot be significant: make it transient or temporary`);
  if (spec.retryDelay !== undefined && typeof spec.retryDelay !== "function")
    wrong(`"retryDelay" must be a function (reason) => milliseconds or undefined`);
  if (typeof concurrent !== "boolean")
    wrong(`"concurrent" must be true or false, got ${JSON.stringify(concurrent)}`);
  const shutdown = checkShutdown(spec.shutdown ?? (type === "supervisor" ? Infinity : 5000), wrong);
  const start = (parent: Pid, aborted?: AbortSignal) => spec.start(parent, aborted);
  return {
    id: spec.id,
    start,
    restart,
    shutdown,
    type,
    significant,
    mfargs: spec.mfargs ?? [spec.id, "start", []],
    retryDelay: spec.retryDelay,
    concurrent,
  };
}

/**
 * Checks the children of one supervisor.
 * @throws TypeError on a bad spec, on a duplicate id, or on a significant child with autoShutdown `never`
 */
export function checkChildren(
  supervisor: string,
  autoShutdown: AutoShutdown | undefined,
  children: readonly ChildSpec[],
): CheckedSpec[] {
  if (!Array.isArray(children)) {
    throw new TypeError(
      `supervisor ${supervisor}: children must be an array of child specs, got ${String(children)}`,
    );
  }
  const seen = new Set<string>();
  return children.map((one) => {
    const spec = checkSpec(one);
    if (seen.has(spec.id)) {
      throw new TypeError(`supervisor ${supervisor}: duplicate child id "${spec.id}"`);
    }
    seen.add(spec.id);
    checkSignificant(supervisor, autoShutdown, spec);
    return spec;
  });
}

/**
 * Checks child specs without a supervisor; with `autoShutdown` also whether they fit it.
 * @throws TypeError as `supervisor` and `startChild` do
 */
export function checkChildspecs(children: readonly ChildSpec[], autoShutdown?: AutoShutdown): void {
  checkChildren("?", autoShutdown, children);
}

/** @throws TypeError on a significant child of a supervisor with autoShutdown `never` */
export function checkSignificant(
  supervisor: string,
  autoShutdown: AutoShutdown | undefined,
  spec: CheckedSpec,
): void {
  if (!spec.significant || autoShutdown !== "never") return;
  throw new TypeError(
    `supervisor ${supervisor}: child "${spec.id}" is significant, so set autoShutdown to any_significant or all_significant`,
  );
}

function checkShutdown(
  shutdown: NonNullable<ChildSpec["shutdown"]>,
  wrong: (what: string) => never,
): Shutdown {
  if (shutdown === "brutal_kill" || shutdown === Infinity) return shutdown;
  try {
    return toMs(shutdown);
  } catch {
    return wrong(
      `"shutdown" must be "brutal_kill", Infinity or a duration such as "2s", got ${JSON.stringify(shutdown)}`,
    );
  }
}

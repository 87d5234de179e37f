/**
 * Application: one supervision tree with its configuration, started and stopped as a whole. A main program starts it
 * and waits for `ended`: a tree that exits by itself has given up, and the program must exit too.
 */

import { type ExitReason, ProcessExit } from "./process/exit-reason.js";
import type { Pid } from "./process/pid.js";
import { onDown, processOf } from "./process/process.js";
import { whereis } from "./process/registry.js";
import type { ChildSpec } from "./supervisor/child-spec.js";
import { startSupervisor, stopSupervisor } from "./supervisor/supervisor.js";

export interface ApplicationSpec<E extends object> {
  /** The default configuration. Other keys are refused. */
  readonly env?: E;
  /** Returns the child spec of the tree; starts nothing itself. */
  start(env: Readonly<E>): ChildSpec | Promise<ChildSpec>;
  /** Runs after the exit of the whole tree. */
  stop?(env: Readonly<E>, reason: ExitReason): void | Promise<void>;
}

export interface Application<E extends object> {
  readonly name: string;
  /**
   * Starts the tree. `env` overrides the default configuration, key by key.
   * @throws TypeError on an unknown key, ProcessExit when the tree fails to start or is already running
   */
  start(env?: Partial<E>): Promise<Running<E>>;
}

export interface Running<E extends object> {
  /** The root supervisor, registered under the name of the application. */
  readonly pid: Pid;
  readonly env: Readonly<E>;
  /** Resolves with the exit reason of the tree, after `stop` of the specification; rejects when that fails. */
  readonly ended: Promise<ExitReason>;
  /** Stops the tree from right to left. Settles as `ended`. */
  stop(): Promise<void>;
}

/** Defines an application. */
export function application<E extends object = Record<never, never>>(
  name: string,
  spec: ApplicationSpec<E>,
): Application<E> {
  return { name, start: (env = {}) => run(name, spec, merge(name, spec.env, env)) };
}

function refuseSecond(name: string): void {
  const holder = whereis(name);
  if (holder) throw new ProcessExit({ already_started: holder }, `application ${name} is already started`);
}

function merge<E extends object>(name: string, defaults: E | undefined, given: Partial<E>): Readonly<E> {
  const keys = Object.keys(defaults ?? {});
  const unknown = Object.keys(given).find((key) => !keys.includes(key));
  if (unknown !== undefined)
    throw new TypeError(
      `application ${name}: unknown key "${unknown}"; the keys are ${keys.join(", ") || "none"}`,
    );
  const defined = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...defaults, ...Object.fromEntries(defined) }) as Readonly<E>;
}

async function run<E extends object>(
  name: string,
  spec: ApplicationSpec<E>,
  env: Readonly<E>,
): Promise<Running<E>> {
  refuseSecond(name);
  // Permanent with intensity 0: an exit of the tree stops the application.
  const tree = { ...(await spec.start(env)), restart: "permanent" as const };
  // Again: of two starts at once, the other may have been quicker.
  refuseSecond(name);
  const pid = await startSupervisor(name, { intensity: 0 }, [tree], name);
  const ended = new Promise<ExitReason>((resolve) => onDown(pid, resolve)).then(async (reason) => {
    await spec.stop?.(env, reason);
    return reason;
  });
  return {
    pid,
    env,
    ended,
    async stop() {
      if (processOf(pid)) await stopSupervisor(pid);
      await ended;
    },
  };
}

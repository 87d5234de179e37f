/**
 * An application: one tree with its configuration, started and stopped as a whole. A main program starts it
 * and waits for `ended`: a tree that ends by itself has given up, and so has the program.
 */

import { type ExitReason, ProcessExit } from "./process/exit-reason.js";
import type { Pid } from "./process/pid.js";
import { onDown, processOf } from "./process/process.js";
import { register, whereis } from "./process/registry.js";
import type { ChildSpec } from "./supervisor/child-spec.js";
import { startSupervisor, stopSupervisor } from "./supervisor/supervisor.js";

export interface ApplicationSpec<E extends object> {
  /** The configuration when nothing else is said. Its keys are the keys there are. */
  readonly env?: E;
  /** The tree. Starts nothing itself: it says what is to be started. */
  start(env: Readonly<E>): ChildSpec | Promise<ChildSpec>;
  /** When all of the tree has ended. */
  stop?(env: Readonly<E>, reason: ExitReason): void | Promise<void>;
}

export interface Application<E extends object> {
  readonly name: string;
  /**
   * Starts the tree. `env` overrules the application's own, key by key.
   * @throws TypeError on an unknown key, ProcessExit when the tree cannot be started or runs already
   */
  start(env?: Partial<E>): Promise<Running<E>>;
}

export interface Running<E extends object> {
  /** The root of the tree, registered under the application's name. */
  readonly pid: Pid;
  readonly env: Readonly<E>;
  /** Resolves with the reason, whoever has brought it about, once `stop` is through. */
  readonly ended: Promise<ExitReason>;
  /** Stops the tree from right to left. Resolves when all of it has ended. */
  stop(): Promise<void>;
}

/** Defines an application. */
export function application<E extends object = Record<never, never>>(
  name: string,
  spec: ApplicationSpec<E>,
): Application<E> {
  return { name, start: (env = {}) => run(name, spec, merge(name, spec.env, env)) };
}

function merge<E extends object>(name: string, own: E | undefined, given: Partial<E>): Readonly<E> {
  const keys = Object.keys(own ?? {});
  const unknown = Object.keys(given).find((key) => !keys.includes(key));
  if (unknown !== undefined)
    throw new TypeError(
      `application ${name}: unknown key "${unknown}"; the keys are ${keys.join(", ") || "none"}`,
    );
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...own, ...Object.fromEntries(said) }) as Readonly<E>;
}

async function run<E extends object>(
  name: string,
  spec: ApplicationSpec<E>,
  env: Readonly<E>,
): Promise<Running<E>> {
  const holder = whereis(name);
  if (holder) throw new ProcessExit({ already_started: holder }, `application ${name} is already started`);
  // Permanent, and no restart is allowed: what ends the tree ends the application.
  const tree = { ...(await spec.start(env)), restart: "permanent" as const };
  const pid = await startSupervisor(name, { intensity: 0 }, [tree]);
  register(name, pid);
  const ended = new Promise<ExitReason>((resolve, reject) => {
    onDown(pid, (reason) => {
      Promise.resolve(spec.stop?.(env, reason)).then(() => resolve(reason), reject);
    });
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

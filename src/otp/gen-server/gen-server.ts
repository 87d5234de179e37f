/**
 * The server behaviour: state that one process owns, and three tables of what may be asked of it: calls
 * (answered), casts (not answered), infos (messages that were sent plainly, and signals).
 */

import { type ExitReason, ProcessExit } from "../process/exit-reason.js";
import { checkMaxMessages } from "../process/mailbox-overflow.js";
import type { Pid } from "../process/pid.js";
import { type Process, processOf } from "../process/process.js";
import { register, whereis } from "../process/registry.js";
import type { Duration } from "../time/duration.js";
import { request } from "./call.js";
import { CastMessage, ServerProcess } from "./server-process.js";

/** What a handler of a server gets: its process, seen from inside. */
export interface Self<S> {
  readonly pid: Pid;
  state: S;
  /** Ends the server once the handler is through. */
  stop(reason?: ExitReason): void;
  /** Goes on in `continue` once the handler is through (the answer is given), before any message. */
  continueWith(content: unknown): void;
  /** Calls `timeout` when no message has come for so long from now. */
  timeoutAfter(after: Duration): void;
}

type Handlers<S> = Record<string, (self: Self<S>, ...args: never[]) => unknown>;

export interface GenServerSpec<A, S, C, K> {
  /** What it is called in reports and trees. */
  readonly name: string;
  /** Exit signals become messages for `info`. Default false. */
  readonly trapExit?: boolean;
  /** Messages that may wait. One more call is refused (`mailbox_full`), anything else is dropped. Default `Infinity`. */
  readonly maxMessages?: number;
  /** Makes the first state. A throw, a rejection or `self.stop` is a failed start; `"ignore"`: none, and that is well. */
  init(args: A, self: Self<undefined>): S | "ignore" | Promise<S | "ignore">;
  /** The returned value, or what the returned promise becomes, is the answer. */
  readonly calls?: C;
  readonly casts?: K;
  /** Every other message. Without it they are dropped. */
  info?(self: Self<S>, message: unknown): unknown;
  /** What `self.continueWith` asked for. */
  continue?(self: Self<S>, content: any): unknown;
  /** What `self.timeoutAfter` asked for. */
  timeout?(self: Self<S>): unknown;
  /** Runs on every end but `kill`; on exit signals only with `trapExit`. */
  terminate?(self: Self<S>, reason: ExitReason): void | Promise<void>;
  /** New code takes over (`sys.changeCode`): the state that the old one left, as this one wants it. */
  codeChange?(state: any, extra: unknown): NoInfer<S>;
  /** The state as `sys.getStatus` shows it. */
  formatStatus?(state: NoInfer<S>): unknown;
}

export interface GenServer<A, S, C, K> extends GenServerSpec<A, S, C, K> {
  readonly calls: C;
  readonly casts: K;
}

/** A pid that knows at compile time what may be asked of it. */
export type Ref<C, K> = Pid & { readonly __calls?: C; readonly __casts?: K };
export type RefOf<G> = G extends Behaviour<any, infer C, infer K> ? Ref<C, K> : never;

/** What `start` and `child` can run: a server or a state machine. */
export interface Behaviour<A, C, K> {
  readonly name: string;
  init(args: A, self: any): unknown;
  readonly calls: C;
  readonly casts: K;
}

/** A process that has yet to be given its arguments. */
interface Launched extends Process {
  init(args: unknown): Promise<boolean>;
}

/** A table that was left out has no entries: without this, every name would do. */
type Listed<T> = string extends keyof T ? Record<never, never> : T;

/** Defines a server; `start` or a supervisor's `child` runs it. */
export function genServer<
  A,
  S extends object,
  C extends Handlers<NoInfer<S>>,
  K extends Handlers<NoInfer<S>>,
>(spec: GenServerSpec<A, S, C, K>): GenServer<A, S, Listed<C>, Listed<K>> {
  // No defaults for C and K: with one, the compiler no longer types `self` in the handlers.
  const { calls = {}, casts = {} } = spec;
  checkMaxMessages(spec.name, spec.maxMessages);
  return { ...spec, calls, casts } as GenServer<A, S, Listed<C>, Listed<K>>;
}

export interface StartOptions {
  /** Linked to it, and obeyed when it ends. */
  readonly parent?: Pid;
  /** Registered under this name before `init` runs. */
  readonly name?: string;
  /** Overrules the behaviour's bound on messages that wait. */
  readonly maxMessages?: number;
}

/**
 * Starts a server, or a state machine, and waits for its `init`.
 * @throws ProcessExit with the reason for which `init` failed, `ignore` when it said so, `noproc` when the
 *   parent has ended, `{ already_started }` when the name is taken
 */
export async function start<A, C, K>(
  server: Behaviour<A, C, K>,
  args: A,
  options: StartOptions = {},
): Promise<Ref<C, K>> {
  const started = await launch(server, args, options);
  if (started === "ignore") throw new ProcessExit("ignore", `${server.name} chose not to start`);
  return started as Ref<C, K>;
}

/** As `start`, linked to `parent`: for a process that starts another outside any supervisor. */
export function startLink<A, C, K>(
  parent: Pid,
  server: Behaviour<A, C, K>,
  args: A,
  options: Omit<StartOptions, "parent"> = {},
): Promise<Ref<C, K>> {
  return start(server, args, { ...options, parent });
}

/** @internal As `start`; a server that chooses not to start is no failure. */
export async function launch(
  server: Behaviour<any, any, any> & { spawn?: (parent: Process | undefined) => Launched },
  args: unknown,
  options: StartOptions,
): Promise<Pid | "ignore"> {
  const { name, maxMessages } = options;
  checkMaxMessages(server.name, maxMessages);
  const holder = name !== undefined && whereis(name);
  if (holder) throw new ProcessExit({ already_started: holder }, `"${name}" is already started as ${holder}`);
  const parent = options.parent && processOf(options.parent);
  if (options.parent && !parent)
    throw new ProcessExit("noproc", `${options.parent}, the parent of ${server.name}, has ended`);
  const process: Launched = server.spawn
    ? server.spawn(parent)
    : new ServerProcess(server as GenServer<any, any, any, any>, parent);
  if (name !== undefined) register(name, process.pid);
  if (maxMessages !== undefined) process.limitMailbox(maxMessages);
  return (await process.init(args)) ? process.pid : "ignore";
}

type Tail<F> = F extends (self: any, ...args: infer R) => any ? R : never;

/**
 * Asks a server and waits for the answer, 5 seconds at most.
 * @throws ProcessExit with `noproc`, `timeout`, or the reason for which the server ended
 */
export function call<C extends Record<string, (...args: any[]) => any>, K, N extends keyof C & string>(
  ref: Ref<C, K>,
  name: N,
  ...args: Tail<C[N]>
): Promise<Awaited<ReturnType<C[N]>>> {
  return request(ref, name, args) as Promise<Awaited<ReturnType<C[N]>>>;
}

/** As `call`, waiting up to `timeout` (`Infinity`: for ever). */
export function callWithin<C extends Record<string, (...args: any[]) => any>, K, N extends keyof C & string>(
  timeout: Duration | typeof Infinity,
  ref: Ref<C, K>,
  name: N,
  ...args: Tail<C[N]>
): Promise<Awaited<ReturnType<C[N]>>> {
  return request(ref, name, args, timeout) as Promise<Awaited<ReturnType<C[N]>>>;
}

/** Tells a server something and does not wait. */
export function cast<C, K extends Record<string, (...args: any[]) => any>, N extends keyof K & string>(
  ref: Ref<C, K>,
  name: N,
  ...args: Tail<K[N]>
): void {
  processOf(ref)?.deliver(new CastMessage(name, args));
}

/**
 * The server behaviour, after OTP's gen_server: a state owned by one process, a table of calls (with a reply), a table
 * of casts (without), and `info` for any other message and for exit signals.
 */

import { ProcessExit } from "../process/exit-reason.js";
import { checkMaxMessages } from "../process/mailbox-overflow.js";
import type { Pid } from "../process/pid.js";
import { type Process, processOf } from "../process/process.js";
import { register, whereis } from "../process/registry.js";
import { send } from "../process/signals.js";
import type { Duration } from "../time/duration.js";
import { request } from "./call.js";
import type { ReplyOf } from "./noreply.js";
import { CastMessage, ServerProcess } from "./server-process.js";
import type { Behaviour, DeclaredHandlers, GenServer, GenServerSpec, Handlers, Ref } from "./types.js";

export type { Behaviour, GenServer, GenServerSpec, Ref, RefOf, Self } from "./types.js";

/** A new process, before its `init`. */
interface Initializable extends Process {
  init(args: unknown): Promise<boolean>;
}

/** Defines a server; `start` or a supervisor's `child` runs it. */
export function genServer<
  A,
  S extends object,
  C extends Handlers<NoInfer<S>>,
  K extends Handlers<NoInfer<S>>,
>(spec: GenServerSpec<A, S, C, K>): GenServer<A, S, DeclaredHandlers<C>, DeclaredHandlers<K>> {
  // No type defaults for C and K: with one, the compiler does not infer `self` in the handlers.
  const { calls = {}, casts = {} } = spec;
  checkMaxMessages(spec.name, spec.maxMessages);
  return { ...spec, calls, casts } as GenServer<A, S, DeclaredHandlers<C>, DeclaredHandlers<K>>;
}

export interface StartOptions {
  /** The process is linked to its parent, and obeys its exit. */
  readonly parent?: Pid;
  /** Registered under this name before `init` runs. */
  readonly name?: string;
  /** Overrides the mailbox bound of the behaviour. */
  readonly maxMessages?: number;
}

/**
 * Starts a server or a state machine and waits for its `init`.
 * @throws ProcessExit with the reason of a failed `init`, `ignore` when it returned that, `noproc` when the parent
 *   has exited, `{ already_started }` when the name is taken
 */
export async function start<A, C, K>(
  server: Behaviour<A, C, K>,
  args: A,
  options: StartOptions = {},
): Promise<Ref<C, K>> {
  const started = await startOrIgnore(server, args, options);
  if (started === "ignore") throw new ProcessExit("ignore", `${server.name}: init returned "ignore"`);
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

/** @internal As `start`, but `ignore` is returned instead of thrown. */
export async function startOrIgnore(
  server: Behaviour<any, any, any> & { spawn?: (parent: Process | undefined) => Initializable },
  args: unknown,
  options: StartOptions,
): Promise<Pid | "ignore"> {
  const { name, maxMessages } = options;
  checkMaxMessages(server.name, maxMessages);
  const holder = name !== undefined && whereis(name);
  if (holder) throw new ProcessExit({ already_started: holder }, `"${name}" is already started as ${holder}`);
  const parent = options.parent && processOf(options.parent);
  if (options.parent && !parent)
    throw new ProcessExit(
      "noproc",
      `${server.name} was not started: its parent ${options.parent} has exited`,
    );
  const process: Initializable = server.spawn
    ? server.spawn(parent)
    : new ServerProcess(server as GenServer<any, any, any, any>, parent);
  if (name !== undefined) register(name, process.pid);
  if (maxMessages !== undefined) process.limitMailbox(maxMessages);
  return (await process.init(args)) ? process.pid : "ignore";
}

type Tail<F> = F extends (self: any, ...args: infer R) => any ? R : never;

/**
 * Calls a server and waits for the reply, up to 5 seconds.
 * @throws ProcessExit with `noproc`, `timeout`, `mailbox_full`, the exit reason of the server, or `notsup` when it
 *   lives in another OS process
 */
export function call<C extends Record<string, (...args: any[]) => any>, K, N extends keyof C & string>(
  ref: Ref<C, K>,
  name: N,
  ...args: Tail<C[N]>
): Promise<ReplyOf<Awaited<ReturnType<C[N]>>>> {
  return request(ref, name, args) as Promise<ReplyOf<Awaited<ReturnType<C[N]>>>>;
}

/** As `call`, with a timeout (`Infinity`: none). */
export function callWithin<C extends Record<string, (...args: any[]) => any>, K, N extends keyof C & string>(
  timeout: Duration | typeof Infinity,
  ref: Ref<C, K>,
  name: N,
  ...args: Tail<C[N]>
): Promise<ReplyOf<Awaited<ReturnType<C[N]>>>> {
  return request(ref, name, args, timeout) as Promise<ReplyOf<Awaited<ReturnType<C[N]>>>>;
}

/** Sends a cast to a server, which may live in another worker: no reply, no error. @throws TypeError for a process of another server */
export function cast<C, K extends Record<string, (...args: any[]) => any>, N extends keyof K & string>(
  ref: Ref<C, K>,
  name: N,
  ...args: Tail<K[N]>
): void {
  send(ref, new CastMessage(name, args));
}

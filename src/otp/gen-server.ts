/**
 * The server behaviour: state that one process owns, and three tables of what may be asked of it: calls
 * (answered), casts (not answered), infos (messages that were sent plainly, and signals).
 */
import { CallMessage, request } from "./call.js";
import type { Duration } from "./duration.js";
import { type ExitReason, ProcessExit, reasonOf } from "./exit.js";
import type { Pid } from "./pid.js";
import { ExitMessage, Process, processOf } from "./process.js";
import { register, whereis } from "./registry.js";

/** What a handler of a server gets: its process, seen from inside. */
export interface Self<S> {
  readonly pid: Pid;
  state: S;
  /** Ends the server once the handler is through. */
  stop(reason?: ExitReason): void;
}

type Handlers<S> = Record<string, (self: Self<S>, ...args: never[]) => unknown>;

export interface GenServerSpec<A, S, C, K> {
  /** What it is called in reports and trees. */
  readonly name: string;
  /** Exit signals become messages for `info`. Default false. */
  readonly trapExit?: boolean;
  /** Makes the first state. A throw, or a rejected promise, is a failed start. */
  init(args: A, self: Self<undefined>): S | Promise<S>;
  /** The returned value, or what the returned promise becomes, is the answer. */
  readonly calls?: C;
  readonly casts?: K;
  /** Every other message. Without it they are dropped. */
  info?(self: Self<S>, message: unknown): unknown;
  /** Runs on every end but `kill`; on exit signals only with `trapExit`. */
  terminate?(self: Self<S>, reason: ExitReason): void | Promise<void>;
}

export interface GenServer<A, S, C, K> extends GenServerSpec<A, S, C, K> {
  readonly calls: C;
  readonly casts: K;
}

/** A pid that knows at compile time what may be asked of it. */
export type Ref<C, K> = Pid & { readonly __calls?: C; readonly __casts?: K };
export type RefOf<G> = G extends GenServer<any, any, infer C, infer K> ? Ref<C, K> : never;

/** Defines a server; `start` or a supervisor's `child` runs it. */
export function genServer<
  A,
  S extends object,
  C extends Handlers<NoInfer<S>> = Record<never, never>,
  K extends Handlers<NoInfer<S>> = Record<never, never>,
>(spec: GenServerSpec<A, S, C, K>): GenServer<A, S, C, K> {
  return { ...spec, calls: spec.calls ?? ({} as C), casts: spec.casts ?? ({} as K) };
}

/** A cast in a mailbox. */
class CastMessage {
  readonly name: string;
  readonly args: readonly unknown[];
  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.args = args;
  }
}

type AnyServer = GenServer<any, any, Record<string, any>, Record<string, any>>;

class GenServerProcess extends Process implements Self<any> {
  readonly behaviour: AnyServer;
  state: any = undefined;
  #stopping: ExitReason | undefined = undefined;

  constructor(behaviour: AnyServer, parent: Process | undefined) {
    super(parent);
    this.behaviour = behaviour;
    this.trapExit = behaviour.trapExit ?? false;
  }

  get label(): string {
    return this.behaviour.name;
  }

  stop(reason: ExitReason = "normal"): void {
    this.#stopping ??= reason;
  }

  async init(args: unknown): Promise<void> {
    // Signals still act while init waits; messages do not.
    this.busy = true;
    try {
      this.state = await this.behaviour.init(args, this);
    } catch (thrown) {
      this.exitWith(reasonOf(thrown));
      throw new ProcessExit(reasonOf(thrown));
    }
    if (!this.alive) throw new ProcessExit("killed", `${this.pid} ended during its init`);
    if (this.#stopping !== undefined) await this.#terminate(this.#stopping);
    this.release();
  }

  protected receive(message: unknown): void | Promise<void> {
    if (message instanceof CallMessage) return this.#call(message);
    const done = this.#other(message);
    if (done instanceof Promise) return done.then(() => this.#afterwards());
    return this.#afterwards();
  }

  #other(message: unknown): unknown {
    if (message instanceof CastMessage) {
      const handler = Object.hasOwn(this.behaviour.casts, message.name) && this.behaviour.casts[message.name];
      if (!handler) throw new Error(`${this.label} has no cast "${message.name}"`);
      return handler(this, ...message.args);
    }
    // OTP's rule: an exit of the parent ends a server that traps exits, it is never an info.
    if (message instanceof ExitMessage && message.exit === this.parent?.pid) {
      this.stop(message.reason);
      return;
    }
    return this.behaviour.info?.(this, message);
  }

  #call(message: CallMessage): void | Promise<void> {
    const handler = Object.hasOwn(this.behaviour.calls, message.name) && this.behaviour.calls[message.name];
    if (!handler) {
      message.fail(new Error(`${this.label} has no call "${message.name}"`));
      return;
    }
    const answer = handler(this, ...message.args);
    if (answer instanceof Promise) {
      return answer.then((value) => {
        message.reply(value);
        return this.#afterwards();
      });
    }
    message.reply(answer);
    return this.#afterwards();
  }

  #afterwards(): void | Promise<void> {
    if (this.#stopping !== undefined && this.alive) return this.#terminate(this.#stopping);
  }

  async #terminate(reason: ExitReason): Promise<void> {
    this.busy = true;
    try {
      await this.behaviour.terminate?.(this, reason);
    } catch (thrown) {
      return this.exitWith(reasonOf(thrown));
    }
    this.exitWith(reason);
  }

  protected override crash(reason: ExitReason): void {
    if (this.alive) void this.#terminate(reason);
  }
}

export interface StartOptions {
  /** Linked to it, and obeyed when it ends. */
  readonly parent?: Pid;
  /** Registered under this name before `init` runs. */
  readonly name?: string;
}

/**
 * Starts a server and waits for its `init`.
 * @throws ProcessExit with the reason for which `init` failed; Error when the name is taken
 */
export async function start<A, C, K>(server: GenServer<A, any, C, K>, args: A, options: StartOptions = {}): Promise<Ref<C, K>> {
  const holder = options.name !== undefined && whereis(options.name);
  if (holder) throw new ProcessExit({ already_started: holder }, `"${options.name}" is already started as ${holder}`);
  const parent = options.parent && processOf(options.parent);
  const process = new GenServerProcess(server as AnyServer, parent);
  if (options.name !== undefined) register(options.name, process.pid);
  await process.init(args);
  return process.pid as Ref<C, K>;
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

/**
 * Protocols as they run in this OS process: each with its options, and what its `worker.start` has returned. Started
 * before the first listener, stopped after the last connection. Listeners that give a protocol the same options share
 * one instance of it.
 */
import type { ChildSpec } from "../../../otp/supervisor/child-spec.js";
import { supervisor } from "../../../otp/supervisor/supervisor.js";
import type { SupervisorFlags } from "../../../otp/supervisor/supervisor-flags.js";
import { clock } from "../../../otp/time/clock.js";
import {
  type GivenOption,
  givenOptions,
  knownOptions,
  readOptions,
  refuseUnknown,
} from "../options/options.js";
import type { AnyProtocol } from "../protocol.js";
import { familyOf } from "../validate/validate.js";

/** A protocol with options in this OS process. */
export interface Instance {
  readonly protocol: AnyProtocol;
  readonly options: unknown;
  /** What `worker.start` has returned. */
  worker: unknown;
}

/** Finds the instance of a protocol: of a listener, or of an outgoing connection. */
export type InstanceOf = (protocol: AnyProtocol) => Instance;

/** Without options that were given and without a worker that was started, as in tests of single parts. */
export const plainInstance: InstanceOf = (protocol) => ({
  ...{ protocol, worker: undefined },
  options: readOptions(protocol, []),
});

/** What one listener serves, and the options that were given for it. */
export interface InstancesOf {
  readonly protocols: readonly AnyProtocol[];
  readonly given: readonly GivenOption[];
}

/** Instances that listeners of this OS process use, the newest last. */
const served: Instance[] = [];
/** Of protocols that only outgoing connections speak: a new instance would be compiled anew for each connection. */
const unserved = new WeakMap<AnyProtocol, Instance>();

export class Instances {
  readonly #all: Instance[] = [];
  /** In the order of the listeners. */
  readonly #byListener: ReadonlyMap<AnyProtocol, Instance>[];
  /** Those whose `worker.start` has returned, or that have none. */
  readonly #started: Instance[] = [];

  /** @throws OptionError when a schema refuses its options, or no protocol has an option of this name */
  constructor(listeners: readonly InstancesOf[]) {
    const known = new Map<string, Instance>();
    const numbers = new Map<AnyProtocol, number>();
    this.#byListener = listeners.map(({ protocols, given }) => {
      const family = new Set(protocols.flatMap(familyOf));
      refuseUnknown([...family].map(knownOptions), given);
      return new Map(
        [...family].map((protocol) => {
          if (!numbers.has(protocol)) numbers.set(protocol, numbers.size);
          const key = `${numbers.get(protocol)} ${keyOf(protocol, given)}`;
          const instance = known.get(key) ?? this.#add(protocol, given);
          known.set(key, instance);
          return [protocol, instance];
        }),
      );
    });
  }

  #add(protocol: AnyProtocol, given: readonly GivenOption[]): Instance {
    const instance = { protocol, options: readOptions(protocol, given), worker: undefined };
    this.#all.push(instance);
    return instance;
  }

  /** Those of one listener. @param at its place in the list that was given */
  of(at: number): InstanceOf {
    const found = this.#byListener[at] as ReadonlyMap<AnyProtocol, Instance>;
    return (protocol) => found.get(protocol) ?? plainInstance(protocol);
  }

  /** Calls `worker.start` of all. @throws Error when one fails; then those that were started are stopped again */
  async start(): Promise<void> {
    for (const instance of this.#all) {
      const { protocol, options } = instance;
      try {
        instance.worker = await protocol.worker?.start({ options, metrics: protocol.metrics });
      } catch (error) {
        await this.stop(MIN_STOP_MS);
        throw new Error(`protocol ${protocol.name}: worker.start: ${textOf(error)}`, { cause: error });
      }
      this.#started.push(instance);
      served.push(instance);
    }
  }

  /** Child specs of the protocols with `children`: a supervisor for each. @throws TypeError when one is wrong */
  children({ intensity, period }: Required<Pick<SupervisorFlags, "intensity" | "period">>): ChildSpec[] {
    const flags = { strategy: "one_for_one", intensity, period } as const;
    const names = new Map<string, number>();
    return this.#started.flatMap((instance) => {
      const specs = childrenOf(instance);
      if (specs.length === 0) return [];
      const { name } = instance.protocol;
      const count = (names.get(name) ?? 0) + 1;
      names.set(name, count);
      return supervisor(`${name}${CHILDREN}${count === 1 ? "" : count}`, flags, specs);
    });
  }

  /**
   * Calls `worker.stop` of all at once.
   * @param ms time that they have
   * @returns what is wrong, one line each
   */
  async stop(ms: number): Promise<string[]> {
    const started = this.#started.splice(0);
    for (const instance of started) served.splice(served.indexOf(instance), 1);
    const hooks = started.filter(({ protocol }) => protocol.worker?.stop !== undefined);
    if (hooks.length === 0) return [];
    const failures = await Promise.all(hooks.map((instance) => stopped(instance, ms)));
    return failures.flatMap((failure) => failure ?? []);
  }
}

/** In the name of the supervisor of a protocol's children; the dot keeps it apart from names of listeners. */
export const CHILDREN = ".children";

/** Least time of `worker.stop`, in milliseconds: connections may have used up the shutdown time. */
export const MIN_STOP_MS = 1_000;

/** What tells the instances of one protocol apart. */
function keyOf(protocol: AnyProtocol, given: readonly GivenOption[]): string {
  if (protocol.options === undefined) return "";
  const last = new Map(given.map(({ key, value }) => [key, value]));
  try {
    return JSON.stringify([...last].sort(([one], [other]) => (one < other ? -1 : 1)));
  } catch {
    return JSON.stringify([...last.keys()]);
  }
}

function childrenOf({ protocol, options, worker }: Instance): readonly ChildSpec[] {
  const { children = [] } = protocol;
  const specs: unknown =
    typeof children === "function" ? children({ options, worker, metrics: protocol.metrics }) : children;
  if (Array.isArray(specs)) return specs;
  throw new TypeError(
    `protocol ${protocol.name}: "children" must return a list of child specs such as [child(server)]`,
  );
}

/** @returns what went wrong; `undefined`: it has stopped */
async function stopped({ protocol, options, worker }: Instance, ms: number): Promise<string | undefined> {
  let timer: ReturnType<typeof clock.setTimeout> | undefined;
  const place = `protocol ${protocol.name}: worker.stop`;
  const late = new Promise<string>((resolve) => {
    timer = clock.setTimeout(() => resolve(`${place} has not settled within ${ms} ms`), ms);
  });
  const done = async (): Promise<undefined> =>
    void (await protocol.worker?.stop?.(worker, { options, metrics: protocol.metrics }));
  try {
    return await Promise.race([done(), late]);
  } catch (error) {
    return `${place}: ${textOf(error)}`;
  } finally {
    if (timer !== undefined) clock.clearTimeout(timer);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * The instance for an outgoing connection: with options of its own, else the one of a listener that serves the protocol.
 * @throws OptionError; TypeError when `worker.start` of the protocol has not run
 */
export function outgoingInstance(protocol: AnyProtocol, options: object | undefined): Instance {
  if (options === undefined) {
    const found = served.findLast((instance) => instance.protocol === protocol);
    if (found) return found;
  }
  if (protocol.worker !== undefined || protocol.children !== undefined)
    throw new TypeError(
      `connect: the protocol ${protocol.name} has "worker" or "children", which only a listener starts: serve it here as well, without "options", or give the connection what it needs by "data"`,
    );
  const known = options === undefined ? unserved.get(protocol) : undefined;
  if (known) return known;
  const instance: Instance = {
    ...{ protocol, worker: undefined },
    options: readOptions(protocol, givenOptions(options, "connect: options")),
  };
  if (options === undefined) unserved.set(protocol, instance);
  return instance;
}

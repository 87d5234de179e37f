/**
 * Limits in force: those of the configuration, and what was changed while the server runs. A limit of a listener stands
 * beside that of the server; its lists of networks, its `whenFull` and its limits on connections replace the server's.
 */
import type { Config, ListenerConfig } from "../../../../config/config.js";
import { LIMIT_KEYS, type LimitKey, type LimitValue } from "../../../../config/runtime-limits.js";
import type { WhenFull } from "../../../../tcp/admission/full-policy.js";
import { addressLimitsOf } from "../../../../tcp/admission/options.js";
import { parseRate } from "../../../../tcp/admission/rate.js";
import type { AddressLimits, Rate } from "../../../../tcp/admission/terms.js";
import { type LimitOverrides, OVERRIDABLE } from "../../../../tcp/protocol/limits.js";
import type { Admission, OverloadTerms } from "../../../channel/limit-terms.js";

/** Scope of the server; of a listener it is its name. */
export const SERVER = "";

/** When it was changed, in milliseconds since 1970, and by which caller. */
export interface LimitMark {
  readonly at: number;
  readonly by: string;
}

interface Limits {
  readonly configured: Readonly<Record<LimitKey, LimitValue>>;
  readonly changed: Map<LimitKey, LimitMark & { readonly value: LimitValue }>;
  /** On client addresses, as they are now: they are read for each client. */
  addresses: AddressLimits | undefined;
}

export class PresentLimits {
  readonly #scopes = new Map<string, Limits>();

  constructor(config: Pick<Config, LimitKey>, listeners: readonly ListenerConfig[]) {
    this.#open(SERVER, (key) => config[key]);
    // The configuration has given the server's lists to listeners without their own.
    for (const listener of listeners) this.#open(listener.name, (key) => ownOf(key, listener, config));
  }

  #open(scope: string, of: (key: LimitKey) => LimitValue): void {
    const configured = Object.fromEntries(LIMIT_KEYS.map((key) => [key, of(key)])) as Limits["configured"];
    this.#scopes.set(scope, { configured, changed: new Map(), addresses: undefined });
    this.#update(scope);
  }

  #of(scope: string): Limits {
    return this.#scopes.get(scope) as Limits;
  }

  /** @param scope `SERVER`, or the name of a listener; what it has of its own */
  value(scope: string, key: LimitKey): LimitValue {
    const { changed, configured } = this.#of(scope);
    const one = changed.get(key);
    return one ? one.value : configured[key];
  }

  configured(scope: string, key: LimitKey): LimitValue {
    return this.#of(scope).configured[key];
  }

  /** When it was changed; `undefined`: it is as configured. */
  mark(scope: string, key: LimitKey): LimitMark | undefined {
    return this.#of(scope).changed.get(key);
  }

  /** The configured value is no change. */
  set(scope: string, key: LimitKey, value: LimitValue, mark: LimitMark): void {
    const { changed, configured } = this.#of(scope);
    if (String(value) === String(configured[key])) changed.delete(key);
    else changed.set(key, { value, ...mark });
    this.#update(scope);
  }

  reset(scope: string, key: LimitKey): void {
    this.#of(scope).changed.delete(key);
    this.#update(scope);
  }

  #update(scope: string): void {
    const value = <T>(key: LimitKey) => this.value(scope, key) as T | undefined;
    this.#of(scope).addresses = addressLimitsOf({
      maxPerAddress: value<number>("maxPerAddress"),
      addressRate: value<string>("addressRate"),
      addressBan: value<number>("addressBan"),
    });
  }

  /** Limits on one client address; `undefined`: there are none. */
  addresses(scope: string): AddressLimits | undefined {
    return this.#scopes.get(scope)?.addresses;
  }

  /** Whom a listener admits, and what its connections may do. */
  admission(listener: string): Admission {
    const networks = (key: "allow" | "deny") =>
      (this.value(listener, key) ?? this.value(SERVER, key)) as readonly string[] | undefined;
    return {
      allow: networks("allow"),
      deny: networks("deny"),
      addresses: (this.addresses(listener) ?? this.addresses(SERVER)) !== undefined || this.#bans,
      limits: this.#connections(listener),
    };
  }

  /** What replaces the protocol's own limits. */
  #connections(listener: string): LimitOverrides {
    const given = OVERRIDABLE.map(
      (key) => [key, this.value(listener, key) ?? this.value(SERVER, key)] as const,
    );
    return Object.fromEntries(given.filter(([, value]) => value !== undefined));
  }

  /** Whether addresses are banned for exceeding a limit: on all listeners, whichever it was of. */
  get #bans(): boolean {
    return [...this.#scopes.values()].some(({ addresses }) => (addresses?.ban ?? 0) > 0);
  }

  /** What clients meet at a listener that is full. */
  whenFull(listener: string): WhenFull {
    return (this.value(listener, "whenFull") ?? this.value(SERVER, "whenFull")) as WhenFull;
  }

  /** When workers stop accepting, and close connections. */
  get overload(): OverloadTerms {
    return {
      maxLag: this.value(SERVER, "maxLag") as number,
      maxMemory: this.value(SERVER, "maxMemory") as number | undefined,
    };
  }

  /** Clients that are accepted a second: by all listeners, or by one. */
  acceptRate(scope: string): Rate | undefined {
    const value = this.value(scope, "acceptRate");
    return value === undefined ? undefined : parseRate(value as string);
  }

  /** Maximum of connections: of all listeners, or of one. Infinity: only the descriptors, or the maximum of all, limit it. */
  maxConnections(scope: string): number {
    const value = this.value(scope, "maxConnections");
    return typeof value === "number" ? value : Infinity;
  }
}

function ownOf(key: LimitKey, listener: ListenerConfig, config: Pick<Config, LimitKey>): LimitValue {
  // Those of workers it never has.
  const own: Partial<Record<LimitKey, LimitValue>> = listener;
  if ((key === "allow" || key === "deny") && own[key] === config[key]) return undefined;
  return own[key];
}

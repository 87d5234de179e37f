/** What an operator asks for, as steps: a limit of the server or of one listener, and its next value. */
import { ConfigError, didYouMean } from "../../../../config/config.js";
import { LIMITS, type LimitValue, type RuntimeLimit, readLimit } from "../../../../config/runtime-limits.js";
import { Refusal } from "../../../../control/errors.js";
import type { LimitRequest } from "../../../../control/limits.js";
import { findListener } from "../suspend.js";
import { limitsOf } from "./limit-rows.js";
import { withNetworks, without } from "./network-list.js";
import { type PresentLimits, SERVER } from "./present-limits.js";

/** A limit to be changed, and to what. */
export interface Step {
  readonly scope: string;
  readonly limit: RuntimeLimit;
  /** `reset`: as it is configured. */
  readonly to: { readonly value: LimitValue } | "reset";
}

interface StepParts {
  readonly limits: PresentLimits;
  readonly listeners: readonly { readonly name: string }[];
  /** Connections that the descriptors of all workers allow. */
  room(): number;
}

export class LimitSteps {
  readonly #parts: StepParts;

  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  /** @returns those that change something. @throws Refusal */
  of(request: LimitRequest): Step[] {
    return this.#all(request).filter((step) => this.#changes(step));
  }

  #all({ limit: name, listener, change }: LimitRequest): Step[] {
    const { listeners } = this.#parts;
    const scope = listener === undefined ? SERVER : findListener(listeners, listener).name;
    if (name === undefined) {
      if (change !== "reset") throw new Refusal("invalid", `limit is missing: one of ${NAMES.join(", ")}`);
      const scopes = listener === undefined ? [SERVER, ...listeners.map((one) => one.name)] : [scope];
      return scopes.flatMap((one) =>
        limitsOf(one).map((limit) => ({ scope: one, limit, to: "reset" as const })),
      );
    }
    const limit = findLimit(name);
    if (scope !== SERVER && limit.serverOnly)
      throw new Refusal(
        "invalid",
        `${limit.name} is a limit of each worker, and no listener has its own: leave the listener out`,
      );
    if (change === "reset") return [{ scope, limit, to: "reset" }];
    return [{ scope, limit, to: { value: this.#valueOf(scope, limit, change) } }];
  }

  #valueOf(scope: string, limit: RuntimeLimit, change: Exclude<LimitRequest["change"], "reset">): LimitValue {
    const ofListener = scope !== SERVER;
    if ("set" in change) {
      if (change.set === "off" && ofListener) return undefined;
      if (change.set === "off" && limit.off) return limit.off.value;
      return this.#possible(
        limit,
        refusing(() => readLimit(limit, change.set, ofListener)),
      );
    }
    return this.#listOf(scope, limit, change);
  }

  #listOf(
    scope: string,
    limit: RuntimeLimit,
    change: { readonly add: unknown } | { readonly remove: unknown },
  ) {
    const { limits } = this.#parts;
    const { key, name } = limit;
    if (!limit.networks)
      throw new Refusal("invalid", `${name} is no list: type its new value instead of add or remove`);
    const typed = `drover limit ${scope === SERVER ? "" : `--listener=${scope} `}${name}`;
    const given = "add" in change ? change.add : change.remove;
    const networks = refusing(() => readLimit(limit, given, scope !== SERVER)) as readonly string[];
    const [own, servers] = [limits.value(scope, key), limits.value(SERVER, key)] as (
      | readonly string[]
      | undefined
    )[];
    // A listener without a list of its own has the server's.
    if ("add" in change) return withNetworks({ name, typed }, own ?? servers, networks);
    if (own === undefined && servers !== undefined)
      throw new Refusal(
        "conflict",
        `listener ${scope} has the ${name} of the server: type \`drover limit ${name} remove ${networks.join(",")}\``,
      );
    return without({ name, typed }, own, networks);
  }

  /** @throws Refusal `conflict` when the descriptors do not allow so many connections */
  #possible(limit: RuntimeLimit, value: LimitValue): LimitValue {
    const room = this.#parts.room();
    if (limit.key !== "maxConnections" || typeof value !== "number" || value <= room) return value;
    throw new Refusal(
      "conflict",
      `${limit.name}: ${value} connections are more than the ${room} that the file descriptors of the workers allow: ` +
        "type a lower number, or raise the limit (ulimit -n) and start again",
    );
  }

  #changes({ scope, limit: { key }, to }: Step): boolean {
    const { limits } = this.#parts;
    if (to === "reset") return limits.mark(scope, key) !== undefined;
    return String(to.value) !== String(limits.value(scope, key));
  }
}

const NAMES = LIMITS.map(({ name }) => name);

/** @throws Refusal `invalid` with the nearest name */
function findLimit(name: string): RuntimeLimit {
  const found = LIMITS.find((limit) => limit.name === name || limit.key === name);
  if (found) return found;
  const hint = didYouMean(name, NAMES) || `: there are ${NAMES.join(", ")}`;
  throw new Refusal("invalid", `no limit ${JSON.stringify(name.slice(0, 80))}${hint}`);
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) throw new Refusal("invalid", error.message);
    throw error;
  }
}

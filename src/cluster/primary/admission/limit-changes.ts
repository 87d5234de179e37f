/**
 * Changes of limits while the server runs: one at a time, over all workers. A worker that starts later gets the present
 * values with its boot message; a restart of the server begins with the configured ones.
 */
import { ConfigError, didYouMean } from "../../../config/config.js";
import { LIMITS, type LimitValue, type RuntimeLimit, readLimit } from "../../../config/runtime-limits.js";
import { Refusal } from "../../../control/errors.js";
import type { LimitChange, LimitRequest, LimitRow } from "../../../control/limits.js";
import { wallTime } from "../../../otp/time/clock.js";
import type { AdmissionRequest } from "../../channel/messages.js";
import { activeConnections, type WorkerSlot } from "../workers/worker-slot.js";
import type { AcceptRateShares } from "./accept-rate-shares.js";
import type { Addresses } from "./addresses.js";
import { changeNotes } from "./limit-notes.js";
import { LimitRows } from "./limit-rows.js";
import type { MaxConnections } from "./max-connections.js";
import { withNetworks, without } from "./network-list.js";
import { type LimitMark, type PresentLimits, SERVER } from "./present-limits.js";
import { findListener } from "./suspend.js";

/** Milliseconds for a worker that counts its connections by address. */
const RECOUNT = 2_000;

export interface LimitParts {
  readonly limits: PresentLimits;
  readonly listeners: readonly { readonly name: string }[];
  readonly addresses: Pick<Addresses, "ledger">;
  readonly acceptRates: Pick<AcceptRateShares, "set">;
  readonly maxConnections: Pick<MaxConnections, "redivide">;
  slots(): readonly WorkerSlot[];
  /** Resolves when every worker that answers has reported its connections. */
  refreshSnapshots(): Promise<void>;
  /** Connections that the descriptors of all workers allow. */
  room(): number;
  readonly explain: ConstructorParameters<typeof LimitRows>[1];
}

/** A limit to be changed, and to what. */
interface Step {
  readonly scope: string;
  readonly limit: RuntimeLimit;
  /** `reset`: as it is configured. */
  readonly to: { readonly value: LimitValue } | "reset";
}

export class LimitChanges {
  readonly #parts: LimitParts;
  readonly #rows: LimitRows;
  /** The change before: the next one begins after it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: LimitParts) {
    this.#parts = parts;
    this.#rows = new LimitRows(parts.limits, parts.explain, parts.room);
  }

  /** @param listener only its limits. @throws Refusal `unknown` when there is no such listener */
  rows(listener: string | undefined): LimitRow[] {
    const { listeners } = this.#parts;
    if (listener === undefined) return this.#rows.all(listeners.map(({ name }) => name));
    return this.#rows.of(findListener(listeners, listener).name);
  }

  /** @throws Refusal */
  change(request: LimitRequest, by: string): Promise<LimitChange> {
    const change = this.#last.then(() => this.#change(request, { at: wallTime(), by }));
    this.#last = change.catch(() => undefined);
    return change;
  }

  async #change(request: LimitRequest, mark: LimitMark): Promise<LimitChange> {
    const before = (step: Step) => this.#rows.row(step.scope, step.limit).text;
    const steps = this.#steps(request)
      .filter((step) => this.#changes(step))
      .map((step) => ({ ...step, before: before(step) }));
    const recount = this.#set(steps, mark);
    const workers = steps.length === 0 ? [] : await this.#apply(recount);
    const changes = steps.map(({ scope, limit, before }) => ({ ...this.#rows.row(scope, limit), before }));
    const open = this.#parts.slots().reduce((sum, slot) => sum + activeConnections(slot), 0);
    return { changes, workers, notes: changeNotes(changes, { open, limits: this.#parts.limits }) };
  }

  // -- what is asked for ----------------------------------------------------------------------------------

  #steps({ limit: name, listener, change }: LimitRequest): Step[] {
    const { listeners } = this.#parts;
    const scope = listener === undefined ? SERVER : findListener(listeners, listener).name;
    if (name === undefined) {
      if (change !== "reset") throw new Refusal("invalid", `limit is missing: one of ${NAMES.join(", ")}`);
      const scopes = listener === undefined ? [SERVER, ...listeners.map((one) => one.name)] : [scope];
      return scopes.flatMap((one) => LIMITS.map((limit) => ({ scope: one, limit, to: "reset" as const })));
    }
    const limit = findLimit(name);
    if (change === "reset") return [{ scope, limit, to: "reset" }];
    return [{ scope, limit, to: { value: this.#valueOf(scope, limit, change) } }];
  }

  #valueOf(scope: string, limit: RuntimeLimit, change: Exclude<LimitRequest["change"], "reset">): LimitValue {
    const ofListener = scope !== SERVER;
    if ("set" in change) {
      if (change.set === "off") return ofListener ? undefined : limit.off;
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

  // -- what is done ---------------------------------------------------------------------------------------

  /** @returns whether connections must be counted by address that were not */
  #set(steps: readonly Step[], mark: LimitMark): boolean {
    const { limits, addresses, acceptRates } = this.#parts;
    let recount = false;
    for (const { scope, limit, to } of steps) {
      const before = limits.addresses(scope);
      if (to === "reset") limits.reset(scope, limit.key);
      else limits.set(scope, limit.key, to.value, mark);
      addresses.ledger.limitsChanged(scope, before);
      if (limit.key === "acceptRate") acceptRates.set(scope, limits.acceptRate(scope));
      recount ||= before === undefined && limits.addresses(scope) !== undefined;
    }
    return recount;
  }

  /** Shares first: a worker that answers has applied them as well. */
  async #apply(recount: boolean): Promise<LimitChange["workers"]> {
    const { limits, listeners, maxConnections, slots, refreshSnapshots } = this.#parts;
    maxConnections.redivide();
    // No worker accepts until all have said what a lowered maximum leaves: not only with their next snapshot.
    await refreshSnapshots();
    const request = {
      name: "admission",
      listeners: listeners.map(({ name }) => limits.admission(name)),
      recount,
    } as const;
    return Promise.all(
      slots().map(async (slot) => ({ worker: slot.slot, state: await stateAfter(slot, request) })),
    );
  }
}

/** A worker that is starting gets the request behind its boot message, or the present values with it. */
async function stateAfter({ process }: WorkerSlot, request: AdmissionRequest): Promise<string> {
  if (!process?.alive || process.state === "down") return "down";
  const asked = process.request(request, request.recount ? RECOUNT : undefined);
  if (process.state !== "running") return process.state;
  if ((await asked) === true) return "applied";
  return process.alive ? "not answering" : "down";
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

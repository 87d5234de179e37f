/**
 * Changes of limits while the server runs: one at a time, over all workers. A worker that starts later gets the present
 * values with its boot message; a restart of the server begins with the configured ones.
 */
import type { LimitKey } from "../../../../config/runtime-limits.js";
import type { LimitChange, LimitRequest, LimitRow } from "../../../../control/limits.js";
import { wallTime } from "../../../../otp/time/clock.js";
import type { AdmissionRequest, WorkerRequest } from "../../../channel/requests.js";
import type { WorkerSlot } from "../../workers/worker-slot.js";
import type { AcceptRateShares } from "../accept-rate-shares.js";
import type { Addresses } from "../addresses.js";
import type { MaxConnections } from "../connections/max-connections.js";
import type { FullListeners } from "../connections/when-full.js";
import { findListener } from "../suspend.js";
import { changeNotes } from "./limit-notes.js";
import { LimitRows } from "./limit-rows.js";
import { LimitSteps, type Step } from "./limit-steps.js";
import type { LimitMark, PresentLimits } from "./present-limits.js";

const OF_ADDRESSES: readonly LimitKey[] = ["maxPerAddress", "addressRate", "addressBan"];

/** Milliseconds for a worker that counts its connections by address. */
const RECOUNT = 2_000;

export interface LimitParts {
  readonly limits: PresentLimits;
  readonly listeners: readonly { readonly name: string }[];
  readonly addresses: Pick<Addresses, "ledger">;
  readonly acceptRates: Pick<AcceptRateShares, "set">;
  readonly full: Pick<FullListeners, "set">;
  readonly maxConnections: Pick<MaxConnections, "redivide">;
  slots(): readonly WorkerSlot[];
  /** Tells all workers which addresses are banned. */
  sendBans(): void;
  /** Resolves when every worker that answers has reported its connections. */
  refreshSnapshots(): Promise<unknown>;
  /** Connections that the descriptors of all workers allow. */
  room(): number;
  readonly explain: ConstructorParameters<typeof LimitRows>[1];
}

export class LimitChanges {
  readonly #parts: LimitParts;
  readonly #rows: LimitRows;
  readonly #steps: LimitSteps;
  /** The change before: the next one begins after it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: LimitParts) {
    this.#parts = parts;
    this.#rows = new LimitRows(parts.limits, parts.explain, parts.room);
    this.#steps = new LimitSteps(parts);
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
    const steps = this.#steps.of(request).map((step) => ({ ...step, before: before(step) }));
    const recount = this.#set(steps, mark);
    const keys = new Set(steps.map(({ limit }) => limit.key));
    const workers = steps.length === 0 ? [] : await this.#apply(keys, recount);
    const changes = steps.map(({ scope, limit, before }) => ({ ...this.#rows.row(scope, limit), before }));
    const { limits, slots } = this.#parts;
    return { changes, workers, notes: changeNotes(changes, { slots: slots(), limits }) };
  }

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
  async #apply(changed: ReadonlySet<LimitKey>, recount: boolean): Promise<LimitChange["workers"]> {
    const { limits, listeners, maxConnections, full, slots, sendBans, refreshSnapshots } = this.#parts;
    for (const { name } of listeners) full.set(name, limits.whenFull(name));
    if (changed.has("maxMemory") || changed.has("maxLag"))
      this.#send({ name: "overload", terms: limits.overload });
    // Without limits on addresses workers do not ask, and know only of bans that they were told.
    if (OF_ADDRESSES.some((key) => changed.has(key))) sendBans();
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

  /** To each worker: the answer to what is sent behind it says that it is applied. */
  #send(request: WorkerRequest): void {
    for (const { process } of this.#parts.slots()) void process?.request(request);
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

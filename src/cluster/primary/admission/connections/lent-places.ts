/** Lends free places to workers of listeners that none can accept for, and gives them back when that is over. */
import type { PrimaryListener } from "../../primary-listener.js";
import { overloadOf, type WorkerSlot } from "../../workers/worker-slot.js";
import type { ConnectionShares } from "./connection-shares.js";
import { loansFor, type Place } from "./loans.js";

/** A listener that has, or has not, a limit of its own, which may change. */
export type LimitedListener = Pick<PrimaryListener, "name" | "at" | "maxConnections">;

/** Shares of one limit; `listener` is `undefined` for that of all listeners. */
export interface LimitOf {
  readonly listener: LimitedListener | undefined;
  readonly shares: ConnectionShares;
}

export interface Limits {
  readonly total: LimitOf;
  /** Of each listener's own, in their order. */
  readonly own: readonly (LimitOf & { readonly listener: LimitedListener })[];
}

/** What is known of a listener in one worker. */
export interface ListenerKnowledge {
  /** Whether it accepts, or would if it had room. */
  open(slot: WorkerSlot, listener: LimitedListener): boolean;
  /** Whether the worker has reported it as full. */
  full(slot: number, listener: string): boolean;
  /** Whether the worker has a part of the accept rates. @param listener `undefined`: of that of all listeners */
  rated(slot: number, listener: string | undefined): boolean;
}

export interface LentPlacesOptions extends ListenerKnowledge {
  slots(): readonly WorkerSlot[];
  /** Places that one worker may have in all. */
  most(): number;
  /** Places that a worker uses; `undefined`: not known. */
  taken(slot: number, limit: LimitOf): number | undefined;
}

/** A borrower must have this part of its equal share free before places go back: at the edge they would come and go. */
const MARGIN = 0.1;

export class LentPlaces {
  readonly #limits: Limits;
  readonly #options: LentPlacesOptions;

  constructor(limits: Limits, options: LentPlacesOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  get #all(): readonly LimitOf[] {
    return [this.#limits.total, ...this.#limits.own];
  }

  /** @returns whether shares have changed */
  update(): boolean {
    return this.#return() || this.#lend();
  }

  #lend(): boolean {
    const { full } = this.#options;
    for (const [at, { listener }] of this.#limits.own.entries()) {
      if (!this.#serving.some(({ slot }) => full(slot, listener.name))) continue;
      const loans = loansFor(at, this.#places(listener) ?? []);
      for (const { listener: of, from, to, count } of loans) {
        const { shares } = of === undefined ? this.#limits.total : (this.#limits.own[of] as LimitOf);
        shares.lend(from, to, count, of === undefined ? this.#options.most() : Infinity);
      }
      // The free places of the next listener may be lent by now.
      if (loans.length > 0) return true;
    }
    return false;
  }

  /** Once no listener needs what is lent, and no borrower uses it. */
  #return(): boolean {
    const lent = this.#all.filter(({ shares }) => shares.lent);
    if (lent.length === 0 || lent.some((limit) => this.#inUse(limit))) return false;
    for (const [at, { listener }] of this.#limits.own.entries()) {
      const places = this.#places(listener, true);
      if (!places || loansFor(at, places).length > 0) return false;
    }
    for (const { shares } of lent) shares.returnLent();
    return true;
  }

  #inUse(limit: LimitOf): boolean {
    const taken = ({ slot }: WorkerSlot) => this.#options.taken(slot, limit) ?? Infinity;
    return this.#options.slots().some((slot) => taken(slot) > limit.shares.even(slot.slot));
  }

  get #serving(): readonly WorkerSlot[] {
    return this.#options
      .slots()
      .filter(({ process }) => process?.state === "running" && !process.unresponsive);
  }

  /** @param even as if nothing were lent @returns `undefined` where it is not known what a worker has free */
  #places(listener: LimitedListener, even = false): readonly Place[] | undefined {
    const places = this.#serving.map((slot) => this.#place(slot, listener, even));
    return places.includes(undefined) ? undefined : (places as Place[]);
  }

  #place(slot: WorkerSlot, wanting: LimitedListener, even: boolean): Place | undefined {
    const { slot: number, last } = slot;
    const { total, own } = this.#limits;
    const { open, rated } = this.#options;
    const free = (limit: LimitOf) => {
      const taken = this.#options.taken(number, limit) ?? Infinity;
      if (!even) return limit.shares.allowed(number) - taken;
      const share = limit.shares.even(number);
      return share === Infinity ? Infinity : share - taken - Math.floor(share * MARGIN);
    };
    const taken = this.#options.taken(number, total);
    if (!last || taken === undefined) return undefined;
    const all = free(total);
    // Its descriptors may allow it less.
    const usable = even ? all : Math.min(all, last.gauges.maxConnections - taken);
    return {
      slot: number,
      open: overloadOf(slot).length === 0 && rated(number, wanting.name) && open(slot, wanting),
      short: last.gauges.maxConnections < total.shares.allowed(number),
      free: all,
      own: own.map((limit) => {
        const ownFree = free(limit);
        // It may have become full after its snapshot: then what looks free is not.
        const full =
          Math.min(usable, ownFree) <= 0 && (even || this.#options.full(number, limit.listener.name));
        return { free: ownFree, full };
      }),
    };
  }
}

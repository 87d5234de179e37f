/**
 * Which free places one worker lends to another. Both share a backlog, so that a full worker leaves its clients to one
 * with room; only a listener whose clients no worker can accept, though its limits have room, needs a loan. Its places are then
 * with workers that do not accept (overloaded, draining, short of descriptors), or lack one of the two limits.
 */

/** A worker that serves. */
export interface Place {
  readonly slot: number;
  /** Whether it accepts, or would if it had room. */
  readonly open: boolean;
  /** Its descriptors bound it, not its share: more places are of no use to it. */
  readonly short: boolean;
  /** Places of its share of the maximum of all listeners that are free. */
  readonly free: number;
  /** The same of each listener's own, in their order: Infinity where it has none. */
  readonly own: readonly { readonly free: number; readonly full: boolean }[];
}

export interface Loan {
  /** Index of the listener whose limit is meant; `undefined`: that of all listeners. */
  readonly listener: number | undefined;
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Loans with which a listener, by its index, can accept again; none where it can already, or a limit is reached. */
export function loansFor(at: number, places: readonly Place[]): readonly Loan[] {
  const open = places.filter((place) => place.open);
  if (open.length === 0 || open.some(({ own }) => own[at]?.full !== true)) return [];
  // A place of all listeners is moved last: another listener may need it where it is.
  for (const lacking of [["own"], ["all"], ["all", "own"]] as const) {
    for (const to of open.filter((place) => !place.short && lacks(place, at).join() === lacking.join())) {
      const loans = lacking.flatMap((limit) => loanOf(limit, to, at, places) ?? []);
      if (loans.length < lacking.length) continue;
      // More than it has room for under the other limit would be of no use to it.
      const most = Math.min(...loans.map(({ count }) => count), ...room(to, at));
      return loans.map((loan) => ({ ...loan, count: most }));
    }
  }
  return [];
}

type LimitName = "all" | "own";

const freeOf = (place: Place, limit: LimitName, at: number): number =>
  limit === "all" ? place.free : (place.own[at]?.free ?? 0);

function lacks(place: Place, at: number): LimitName[] {
  return (["all", "own"] as const).filter((limit) => freeOf(place, limit, at) <= 0);
}

/** Free places of the limits that it does not lack. */
function room(place: Place, at: number): number[] {
  return (["all", "own"] as const).map((limit) => freeOf(place, limit, at)).filter((free) => free > 0);
}

/** Half of what the worker with the most has free: it may need them itself. */
function loanOf(limit: LimitName, to: Place, at: number, places: readonly Place[]): Loan | undefined {
  let from: Place | undefined;
  for (const place of places) {
    if (place === to || freeOf(place, limit, at) <= 0) continue;
    if (!from || freeOf(place, limit, at) > freeOf(from, limit, at)) from = place;
  }
  if (!from) return undefined;
  const count = Math.ceil(freeOf(from, limit, at) / 2);
  return { listener: limit === "all" ? undefined : at, from: from.slot, to: to.slot, count };
}

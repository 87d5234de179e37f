/**
 * Rings: things that stand one behind the other, oldest first, each knowing its neighbours. Whoever keeps one
 * knows the first. For what there is one of for each process: a Set costs more than two fields, and is slower.
 */
export interface Ringed<T> {
  /** Its neighbours; `undefined` while it stands in no ring. */
  before: T | undefined;
  behind: T | undefined;
}

/** @returns the first */
export function enterRing<T extends Ringed<T>>(first: T | undefined, one: T): T {
  const last = first?.before ?? one;
  one.before = last;
  one.behind = first ?? one;
  last.behind = one;
  one.behind.before = one;
  return first ?? one;
}

/** @returns the first that is left; one that stands in no ring changes nothing */
export function leaveRing<T extends Ringed<T>>(first: T | undefined, one: T): T | undefined {
  const { before, behind } = one;
  if (!before || !behind) return first;
  before.behind = behind;
  behind.before = before;
  one.before = one.behind = undefined;
  if (one !== first) return first;
  return behind === one ? undefined : behind;
}

/** Oldest first. The ring must not change meanwhile. */
export function inRing<T extends Ringed<T>>(first: T | undefined): T[] {
  const all: T[] = [];
  for (let one = first; one; one = one.behind === first ? undefined : one.behind) all.push(one);
  return all;
}

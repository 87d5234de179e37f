/**
 * The name that somebody meant. A wrong suggestion is worse than none, so a name is offered only when it is
 * near: the same word written in another style, its beginning, or a third of its letters off.
 */

/** The candidate nearest to `name`, or `undefined` when none is near. Of equals, the first. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = normal(name);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const offered = normal(candidate);
    const begun = wanted.length >= 3 && offered.startsWith(wanted);
    const distance = begun ? 0.5 : editDistance(wanted, offered);
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, offered.length) / 3));
    // One letter against one letter is always "one off": nothing so short has a neighbour.
    const near = distance <= allowed && wanted.length > 1;
    if ((near || distance === 0) && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `: did you mean …?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const meant = nearest(name, candidates);
  return meant === undefined ? "" : `: did you mean ${meant}?`;
}

/** `max-connections`, `maxConnections` and `MAX_CONNECTIONS` are one word to who writes them from memory. */
function normal(name: string): string {
  return name
    .slice(0, 64)
    .replace(/^DROVER_/i, "")
    .replace(/[-_]/g, "")
    .toLowerCase();
}

/** Insertions, deletions, substitutions and swaps of neighbours that make one word the other. */
function editDistance(from: string, to: string): number {
  let older: number[] = [];
  let old = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      row[j] = Math.min(old[j]! + 1, row[j - 1]! + 1, old[j - 1]! + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, older[j - 2]! + 1);
    }
    [older, old] = [old, row];
  }
  return old[to.length]!;
}

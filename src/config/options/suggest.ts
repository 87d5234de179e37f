/**
 * Suggestions for misspelt names ("did you mean …?"). A wrong suggestion is worse than none, so a name is suggested
 * only if it is the same word in another style, a completion of it, or at most a third of its letters differ.
 */

/** The candidate nearest to `name`, or `undefined` when none is near. Of equally near candidates, the first. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const given = normalise(name);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const normalised = normalise(candidate);
    const isPrefix = given.length >= 3 && normalised.startsWith(given);
    const distance = isPrefix ? 0.5 : editDistance(given, normalised);
    const allowed = Math.max(1, Math.floor(Math.max(given.length, normalised.length) / 3));
    // Single letters are always at distance 1, so they get no suggestion.
    const near = distance <= allowed && given.length > 1;
    if ((near || distance === 0) && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** The ending `: did you mean …?` of an error message, or "". */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const suggestion = nearest(name, candidates);
  return suggestion === undefined ? "" : `: did you mean ${suggestion}?`;
}

/** Makes `max-connections`, `maxConnections` and `DROVER_MAX_CONNECTIONS` equal. */
function normalise(name: string): string {
  return name
    .slice(0, 64)
    .replace(/^DROVER_/i, "")
    .replace(/[-_]/g, "")
    .toLowerCase();
}

/** Damerau-Levenshtein distance: insertions, deletions, substitutions and swaps of adjacent letters. */
function editDistance(from: string, to: string): number {
  let secondLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, secondLast[j - 2]! + 1);
    }
    [secondLast, last] = [last, row];
  }
  return last[to.length]!;
}

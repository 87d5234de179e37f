/**
 * Patterns of `KEYS`: `*`, `?`, `[a-z]`, `[^a]`, and `\` before a character that means itself. A mismatch goes back to
 * the last `*` only, so the time is at most the product of both lengths; a regular expression could take for ever.
 */
export function globMatches(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  let [star, from] = [-1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      from = t;
      continue;
    }
    const next = p < pattern.length ? one(pattern, p, text[t] as string) : 0;
    if (next > 0) {
      p = next;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Index after what matches this character, or 0 where the pattern does not. */
function one(pattern: string, at: number, character: string): number {
  switch (pattern[at]) {
    case "?":
      return at + 1;
    case "[":
      return oneOf(pattern, at + 1, character);
    case "\\":
      if (at + 1 < pattern.length) return pattern[at + 1] === character ? at + 2 : 0;
  }
  return pattern[at] === character ? at + 1 : 0;
}

function oneOf(pattern: string, from: number, character: string): number {
  let at = from;
  const not = pattern[at] === "^";
  if (not) at++;
  let found = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    let [low, high] = [pattern[at] as string, pattern[at] as string];
    if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      high = pattern[at + 2] as string;
      if (low > high) [low, high] = [high, low];
      at += 2;
    }
    if (low <= character && character <= high) found = true;
    at++;
  }
  return found !== not ? Math.min(at + 1, pattern.length) : 0;
}

/** Addresses as text, in one form each: IPv6 by RFC 5952, mapped IPv4 as IPv4. */

/** @param address below 2^32 */
export function ipv4Text(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** @param groups eight numbers of 16 bits */
export function ipv6Text(groups: readonly number[]): string {
  if (isMapped(groups)) return ipv4Text((groups[6] as number) * 65_536 + (groups[7] as number));
  const [start, length] = longestZeros(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  // A single zero is not shortened.
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (groups[end] === 0) end++;
    if (end - at > best[1]) best = [at, end - at];
    at = Math.max(at, end);
  }
  return best;
}

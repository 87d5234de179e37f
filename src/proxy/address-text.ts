/** Addresses as text, in one form each: IPv6 by RFC 5952, mapped IPv4 as IPv4. */

/** @param address below 2^32 */
export function ipv4Text(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** @param groups eight numbers of 16 bits */
export function ipv6Text(groups: readonly number[]): string {
  const [start, length] = longestZeros(groups);
  // IPv4 mapped into IPv6.
  if (start === 0 && length === 5 && groups[5] === 0xffff)
    return ipv4Text((groups[6] as number) * 65_536 + (groups[7] as number));
  let text = "";
  for (let at = 0; at < 8; at++) {
    // A single zero is not shortened.
    if (at === start && length > 1) {
      text += at === 0 ? "::" : ":";
      at += length - 1;
    } else text += (groups[at] as number).toString(16) + (at < 7 ? ":" : "");
  }
  return text;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let [start, length, from] = [0, 0, 0];
  for (let at = 0; at < 8; at++) {
    if (groups[at] !== 0) from = at + 1;
    else if (at + 1 - from > length) {
      start = from;
      length = at + 1 - from;
    }
  }
  return [start, length];
}

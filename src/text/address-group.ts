/** Address by which clients are grouped: of IPv6 the /64, because one client has all of it; of the others the address. */

/** `10.0.0.7`, `2001:db8:0:1::/64`, or the path of a UNIX socket. @param address without a port */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [plain = "", zone] = address.split("%");
  const parts = firstParts(plain);
  return `${shorten(parts)}/64${zone === undefined ? "" : `%${zone}`}`;
}

/** The first four of the eight parts. */
function firstParts(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  // An IPv4 address at the end stands for two parts.
  const length = before.length + after.length + (address.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - length);
  return [...before, ...new Array<string>(zeros).fill("0"), ...after].slice(0, 4).map(withoutZeros);
}

function withoutZeros(part: string): string {
  return part.toLowerCase().replace(/^0+(?=.)/, "");
}

/** The last four are zero, and with them the ones right before. */
function shorten(parts: readonly string[]): string {
  const kept = [...parts];
  while (kept.at(-1) === "0") kept.pop();
  return `${kept.join(":")}::`;
}

/** Networks from which a PROXY header is believed. */
import { BlockList, isIP, isIPv6 } from "node:net";

/** A word in `from` for all UNIX sockets: what connects there is on this machine, and has no address. */
const UNIX = "unix";
/** Verdicts kept, at most: proxies are few, and an attacker's addresses are many. */
const MAX_VERDICTS = 1_000;

/** Whether it is a path, or an abstract name: a client of a UNIX socket has no address. @param address as `socket.peer` has it */
export function isUnixPeer(address: string): boolean {
  return address !== "" && isIP(address) === 0;
}

export class TrustedNetworks {
  readonly #list = new BlockList();
  readonly #unix: boolean;
  /** `BlockList` takes 2 us for a text, a map 20 ns. */
  readonly #verdicts = new Map<string, boolean>();

  /** @throws TypeError when an entry is no address and no network */
  constructor(from: readonly string[]) {
    this.#unix = from.includes(UNIX);
    for (const entry of from) if (entry !== UNIX) this.#add(entry);
  }

  #add(entry: string): void {
    const mistake = networkMistake(entry);
    if (mistake !== undefined) throw new TypeError(mistake);
    const [address = "", bits] = entry.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) this.#list.addAddress(address, family);
    else this.#list.addSubnet(address, Number(bits), family);
  }

  /** @param address as `socket.peer` has it: the path of a UNIX socket; empty when it was lost, which is never trusted */
  trusts(address: string): boolean {
    const known = this.#verdicts.get(address);
    if (known !== undefined) return known;
    const version = isIP(address);
    const verdict =
      version === 0 ? this.#unix && isUnixPeer(address) : this.#list.check(address, `ipv${version as 4 | 6}`);
    if (this.#verdicts.size >= MAX_VERDICTS) this.#verdicts.clear();
    this.#verdicts.set(address, verdict);
    return verdict;
  }
}

/** Entries that trust every address. */
export function everywhereIn(from: readonly string[]): readonly string[] {
  return from.filter((entry) => /\/0+$/.test(entry));
}

/** What is wrong with an entry of `from`; `undefined` when it is right. */
export function networkMistake(entry: unknown): string | undefined {
  const shape = 'a network such as "10.0.0.0/8", an address, or "unix"';
  if (typeof entry !== "string") return `expected ${shape}, got ${entry === null ? "null" : typeof entry}`;
  if (entry === UNIX) return undefined;
  const [address = "", bits, ...more] = entry.split("/");
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const right = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (version !== 0 && !address.includes("%") && right && more.length === 0) return undefined;
  return `expected ${shape}, got ${JSON.stringify(entry)}`;
}

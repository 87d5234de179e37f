/**
 * Reads an IPv4 or IPv6 address or a port as text, byte by byte, and refuses the first byte after which no address is
 * possible. The grammar is that of the PROXY protocol, version 1: decimal numbers without leading zeros; IPv6 with one
 * `::` at most, and with its last 32 bits dotted as `inet_ntop` writes mapped addresses.
 */
import { ipv4Text, ipv6Text } from "./address-text.js";

const DOT = 0x2e;
const COLON = 0x3a;
const NOTHING = -1;

export interface TextReader {
  /** Takes one byte. @returns whether what was read so far can still become valid */
  push(byte: number): boolean;
  /** Whether it may end here. */
  readonly complete: boolean;
}

/** A decimal number without leading zeros. */
export class NumberReader implements TextReader {
  readonly #most: number;
  value = NOTHING;

  constructor(most: number) {
    this.#most = most;
  }

  push(byte: number): boolean {
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9 || this.value === 0) return false;
    this.value = this.value === NOTHING ? digit : this.value * 10 + digit;
    return this.value <= this.#most;
  }

  get complete(): boolean {
    return this.value !== NOTHING;
  }
}

export class Ipv4Reader implements TextReader {
  /** The octets that are complete, as one number. */
  #before = 0;
  #dots = 0;
  #octet = NOTHING;

  push(byte: number): boolean {
    if (byte === DOT) return this.#dot();
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9 || this.#octet === 0) return false;
    this.#octet = this.#octet === NOTHING ? digit : this.#octet * 10 + digit;
    return this.#octet <= 255;
  }

  #dot(): boolean {
    if (this.#octet === NOTHING || this.#dots === 3) return false;
    this.#dots++;
    this.#before = this.#before * 256 + this.#octet;
    this.#octet = NOTHING;
    return true;
  }

  get complete(): boolean {
    return this.#dots === 3 && this.#octet !== NOTHING;
  }

  /** The address as a number below 2^32. */
  get value(): number {
    return this.#before * 256 + this.#octet;
  }

  get text(): string {
    return ipv4Text(this.value);
  }
}

const GROUPS = 8;
const ZEROS: readonly number[] = new Array<number>(GROUPS).fill(0);

export class Ipv6Reader implements TextReader {
  /** Complete groups of 16 bits, without those that `::` stands for. */
  readonly #groups: number[] = [];
  /** Where `::` stands among them. */
  #gap = NOTHING;
  /** Hexadecimal digits of the present group; the same digits as a decimal number, if they are one. */
  #digits = 0;
  #group = 0;
  readonly #decimal = new NumberReader(255);
  #isDecimal = true;
  /** The byte before was a colon; after the first one of an address or a group another one may follow. */
  #colons = 0;
  /** The last 32 bits, once they have turned out to be dotted. */
  #tail: Ipv4Reader | undefined = undefined;

  push(byte: number): boolean {
    if (this.#tail !== undefined) return this.#tail.push(byte);
    if (byte === COLON) return this.#colon();
    if (byte === DOT) return this.#dotted();
    return this.#hex(byte);
  }

  /** The most groups that may be written out. */
  get #most(): number {
    return this.#gap === NOTHING ? GROUPS : GROUPS - 1;
  }

  #hex(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit < 0 || this.#digits === 4) return false;
    if (this.#digits === 0) {
      // A single colon at the start is only the first half of `::`.
      if (this.#colons === 1 && this.#groups.length === 0) return false;
      if (this.#groups.length === this.#most) return false;
    }
    this.#digits++;
    this.#group = this.#group * 16 + digit;
    this.#isDecimal &&= this.#decimal.push(byte);
    this.#colons = 0;
    return true;
  }

  #colon(): boolean {
    if (this.#digits > 0) {
      this.#endGroup();
      this.#colons = 1;
      // A group or the second half of `::` must be able to follow.
      return this.#groups.length < this.#most;
    }
    const atStart = this.#groups.length === 0 && this.#gap === NOTHING;
    if (this.#colons === 0 && atStart) {
      this.#colons = 1;
      return true;
    }
    if (this.#colons !== 1 || this.#gap !== NOTHING) return false;
    this.#gap = this.#groups.length;
    this.#colons = 2;
    return true;
  }

  #endGroup(): void {
    this.#groups.push(this.#group);
    this.#group = this.#digits = 0;
    this.#decimal.value = NOTHING;
    this.#isDecimal = true;
  }

  /** The present group is the first octet of a dotted end, which takes the place of two groups. */
  #dotted(): boolean {
    if (this.#digits === 0 || !this.#isDecimal) return false;
    const groups = this.#groups.length + 2;
    if (this.#gap === NOTHING ? groups !== GROUPS : groups > GROUPS - 1) return false;
    const tail = new Ipv4Reader();
    for (const digit of String(this.#decimal.value)) tail.push(digit.charCodeAt(0));
    this.#tail = tail;
    return tail.push(DOT);
  }

  get complete(): boolean {
    if (this.#tail !== undefined) return this.#tail.complete;
    if (this.#gap === NOTHING) return this.#digits > 0 && this.#groups.length === GROUPS - 1;
    return this.#colons !== 1;
  }

  /** The eight groups of a complete address. */
  get groups(): number[] {
    const groups = [...this.#groups];
    if (this.#tail !== undefined)
      groups.push(Math.floor(this.#tail.value / 65_536), this.#tail.value % 65_536);
    else if (this.#digits > 0) groups.push(this.#group);
    const missing = GROUPS - groups.length;
    if (missing > 0) groups.splice(this.#gap, 0, ...ZEROS.slice(0, missing));
    return groups;
  }

  get text(): string {
    return ipv6Text(this.groups);
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

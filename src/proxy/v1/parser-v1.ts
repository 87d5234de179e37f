/**
 * Version 1 of the PROXY header, a line of text, byte by byte:
 *
 *   PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n     PROXY UNKNOWN anything\r\n
 *
 * At most 107 bytes. Nothing is buffered: each byte moves a small automaton, and the first one that cannot be right is
 * refused.
 */
import { Ipv4Reader, Ipv6Reader, NumberReader, type TextReader } from "../address-reader.js";
import { ProxyHeader } from "../header.js";
import { byteText, ProxyError } from "../proxy-error.js";
import { readTcp4Line } from "./tcp4-line.js";

/** Bytes of the longest line that the specification allows, CR LF included. */
export const V1_LENGTH = 107;

const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
const FAMILY_AT = 6;

type Kind = "TCP4" | "TCP6" | "UNKNOWN";
const WORDS: Readonly<Record<Kind, string>> = {
  TCP4: "PROXY TCP4 ",
  TCP6: "PROXY TCP6 ",
  UNKNOWN: "PROXY UNKNOWN",
};

export class V1Parser {
  header: ProxyHeader | undefined = undefined;
  /** Bytes taken. */
  received = 0;
  #kind: Kind | undefined = undefined;
  /** Source and destination address, source and destination port; `undefined` before the family is known. */
  #fields: readonly [Address, Address, NumberReader, NumberReader] | undefined = undefined;
  #field = 0;
  #sawCr = false;

  /** @returns the index after the last byte taken. @throws ProxyError */
  take(bytes: Uint8Array, from: number, to: number): number {
    let at = this.received === 0 ? this.#whole(bytes, from, to) : from;
    while (at < to && this.header === undefined) {
      const byte = bytes[at] as number;
      if (!this.#push(byte))
        throw new ProxyError(
          `byte ${this.received + 1} of the PROXY header, version 1, cannot be ${byteText(byte)}`,
        );
      this.received++;
      at++;
    }
    return at;
  }

  /** @returns the index behind the line, if it is the common kind and whole; otherwise `from` */
  #whole(bytes: Uint8Array, from: number, to: number): number {
    const line = readTcp4Line(bytes, from, to);
    if (line === undefined) return from;
    this.received = line.length;
    this.header = line.header;
    return from + line.length;
  }

  #push(byte: number): boolean {
    if (this.#sawCr) return byte === LF && this.#complete();
    const kind = this.#kind;
    if (kind === undefined || this.received < WORDS[kind].length) return this.#word(byte);
    // CR must be the last byte but one.
    if (this.received >= V1_LENGTH - 2 && byte !== CR) return false;
    return kind === "UNKNOWN" ? this.#unknown(byte) : this.#part(byte);
  }

  /** `PROXY ` and the family; T or U decides which, then 4 or 6. */
  #word(byte: number): boolean {
    const at = this.received;
    if (at === FAMILY_AT) this.#kind = byte === 0x55 ? "UNKNOWN" : "TCP4";
    else if (at === FAMILY_AT + 3 && this.#kind === "TCP4" && byte === 0x36) this.#kind = "TCP6";
    return byte === WORDS[this.#kind ?? "TCP4"].charCodeAt(at);
  }

  /** Whatever follows UNKNOWN is ignored, up to CR LF. */
  #unknown(byte: number): boolean {
    if (byte === CR) this.#sawCr = true;
    return byte === CR || byte === SPACE || this.received > WORDS.UNKNOWN.length;
  }

  #part(byte: number): boolean {
    const fields = (this.#fields ??= fieldsOf(this.#kind as Kind));
    const field: TextReader = fields[this.#field as 0 | 1 | 2 | 3];
    const last = this.#field === 3;
    if (byte !== (last ? CR : SPACE)) return field.push(byte);
    if (!field.complete) return false;
    if (last) this.#sawCr = true;
    else this.#field++;
    return true;
  }

  #complete(): true {
    const version = 1;
    const none = { version, local: false, tlvs: undefined } as const;
    if (this.#fields === undefined) {
      const unknown = { family: "unspecified", source: undefined, destination: undefined } as const;
      this.header = new ProxyHeader({ ...none, ...unknown });
      return true;
    }
    const [source, destination, sourcePort, destinationPort] = this.#fields;
    this.header = new ProxyHeader({
      ...none,
      family: this.#kind === "TCP6" ? "tcp6" : "tcp4",
      source: { address: source.text, port: sourcePort.value },
      destination: { address: destination.text, port: destinationPort.value },
    });
    return true;
  }
}

type Address = TextReader & { readonly text: string };

function fieldsOf(kind: Kind): readonly [Address, Address, NumberReader, NumberReader] {
  const address = () => (kind === "TCP6" ? new Ipv6Reader() : new Ipv4Reader());
  return [address(), address(), new NumberReader(65_535), new NumberReader(65_535)];
}

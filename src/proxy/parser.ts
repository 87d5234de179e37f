/** Parser of PROXY headers of both versions: incremental, and pure. */
import type { ProxyHeader } from "./header.js";
import { byteText, ProxyError } from "./proxy-error.js";
import { V1Parser } from "./v1/parser-v1.js";
import { SIGNATURE, V2Parser } from "./v2/parser-v2.js";

const P = 0x50;

export class ProxyParser {
  #parser: V1Parser | V2Parser | undefined = undefined;

  /** The header, once it is complete. */
  get header(): ProxyHeader | undefined {
    return this.#parser?.header;
  }

  /** Bytes of the header that were received. */
  get received(): number {
    return this.#parser?.received ?? 0;
  }

  /**
   * Takes bytes from `from` to `to`, and keeps none of that memory.
   * @returns the index after the last byte that belongs to the header: below `to` when more was received
   * @throws ProxyError at the first byte that cannot be right
   */
  take(bytes: Uint8Array, from: number, to: number): number {
    if (from === to || this.header !== undefined) return from;
    this.#parser ??= parserFor(bytes[from] as number);
    return this.#parser.take(bytes, from, to);
  }
}

function parserFor(first: number): V1Parser | V2Parser {
  if (first === P) return new V1Parser();
  if (first === SIGNATURE[0]) return new V2Parser();
  throw new ProxyError(`expected a PROXY header, which does not begin with ${byteText(first)}`);
}

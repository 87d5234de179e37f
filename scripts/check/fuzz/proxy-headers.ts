// The parser of PROXY headers in the form of a decoder: one frame, what the header says; what follows is left over.

import type { ReusedBuffer } from "../../../src/framing/buffer-view.js";
import { type BorrowingDecoder, type Framing, FramingError } from "../../../src/framing/framing.js";
import { encodeProxyHeader } from "../../../src/proxy/encode.js";
import { ProxyParser } from "../../../src/proxy/parser.js";
import { ProxyError } from "../../../src/proxy/proxy-error.js";

class HeaderDecoder implements BorrowingDecoder<string> {
  readonly #parser = new ProxyParser();
  #rest = 0;
  #given = false;
  #error: FramingError | undefined = undefined;

  get buffered(): number {
    return this.#rest + (this.#parser.header === undefined ? this.#parser.received : 0);
  }

  push(chunk: Buffer): void {
    this.#take(chunk, chunk.length);
  }

  pushBorrowed(source: ReusedBuffer, length: number): void {
    this.#take(source.buffer, length);
  }

  /** It keeps nothing of a chunk. */
  copyRest(): void {}

  #take(bytes: Buffer, length: number): void {
    try {
      const end = this.#parser.take(bytes, 0, length);
      if (end < length && this.#parser.header === undefined)
        throw new Error("bytes left before the header ends");
      this.#rest += length - end;
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      this.#error = new FramingError("frame_invalid", error.message);
    }
  }

  pull(): string | undefined {
    if (this.#error !== undefined) throw this.#error;
    const { header } = this.#parser;
    if (header === undefined || this.#given) return undefined;
    this.#given = true;
    const { version, local, family, source, destination, alpn, authority, netns, ssl } = header;
    const tlvs = [...header.tlvs].map(([type, value]) => `${type} ${value.toString("hex")}`);
    return JSON.stringify({ version, local, family, source, destination, alpn, authority, netns, ssl, tlvs });
  }
}

export const PROXY_HEADERS: Framing<string> = {
  name: "proxy header",
  decoder: () => new HeaderDecoder(),
  encodedLength: () => 0,
  encodeInto: (_frame, _target, offset) => offset,
};

const text = (...pieces: string[]) => pieces.map((piece) => Buffer.from(piece, "latin1"));

export const V1_PIECES: readonly Buffer[] = text(
  ...[
    "PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n",
    "PROXY TCP6 2001:db8::7 ::1 1 2\r\n",
    "PROXY UNKNOWN\r\n",
  ],
  ...[
    "PROXY TCP4 ",
    "PROXY TCP6 ",
    "PROXY UNKNOWN ",
    "PROXY ",
    "1.2.3.4 ",
    "::ffff:1.2.3.4 ",
    "a:b::c ",
    "::",
  ],
  ...["1 ", "2\r\n", "65535 65535\r\n", " ", "\r\n", "\r", "0", "255", ":", "."],
);

const ends = {
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.1", port: 443 },
};
const six = {
  source: { address: "2001:db8::7", port: 1 },
  destination: { address: "::ffff:192.0.2.7", port: 2 },
};
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

export const V2_PIECES: readonly Buffer[] = [
  encodeProxyHeader(ends),
  encodeProxyHeader({ ...six, authority: "a.example", crc32c: true }),
  encodeProxyHeader({
    ...{ ...ends, alpn: "h2", uniqueId: "id", netns: "blue", crc32c: true },
    ssl: { version: "TLSv1.3", commonName: "device", cipher: "TLS_AES_128_GCM_SHA256" },
  }),
  encodeProxyHeader({ local: true }),
  // The beginning of a header whose TLVs are the pieces that follow.
  ...[12, 17, 20, 40, 80, 300, 2_000].map((length) =>
    Buffer.from(
      `${SIGNATURE}\x21\x11${String.fromCharCode(length >> 8, length & 255)}\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a`,
      "latin1",
    ),
  ),
  ...text(
    SIGNATURE,
    `${SIGNATURE}\x20\0\0\x05`,
    `${SIGNATURE}\x21\x31\0\xd8`,
    `${SIGNATURE}\x21`,
    "\x21\x11\0\x0c",
  ),
  ...text(
    "\x01\0\x02h2",
    "\x02\0\x09a.example",
    "\x03\0\x04\0\0\0\0",
    "\x04\0\0",
    "\x05\0\x02id",
    "\x20\0\x05\x01\0\0\0\0",
  ),
  ...text("\x20\0\x0e\x01\0\0\0\0\x21\0\x06TLSv13", "\xe0\0\x01x", "\x05\0\x81", "\0\0", "\x21\0"),
];

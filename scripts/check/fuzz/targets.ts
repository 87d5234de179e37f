// The decoders to be fuzzed, and the parser of PROXY headers, each with pieces of which its inputs are made: valid frames and tokens of its grammar.

import { customFraming } from "../../../src/framing/custom/custom.js";
import * as erlang from "../../../src/framing/erlang.js";
import { type Framing, FramingError } from "../../../src/framing/framing.js";
import { fixed } from "../../../src/framing/length/fixed.js";
import { netstring } from "../../../src/framing/length/netstring.js";
import { varint } from "../../../src/framing/length/varint.js";
import { lines } from "../../../src/framing/lines.js";
import { packet } from "../../../src/framing/packet.js";
import { raw } from "../../../src/framing/raw.js";
import { resp } from "../../../src/framing/resp/resp.js";
import { delimited } from "../../../src/framing/text/delimited.js";
import { json } from "../../../src/framing/text/json.js";
import { PROXY_HEADERS, V1_PIECES, V2_PIECES } from "./proxy-headers.js";

export interface Target {
  readonly title: string;
  readonly framing: Framing<any, any>;
  readonly pieces: readonly Buffer[];
  /** False where a frame ends wherever the input is cut. */
  readonly bounded: boolean;
}

const of = (...texts: string[]) => texts.map((text) => Buffer.from(text, "latin1"));
const x = "x".repeat(70);

const HTTP = of(
  "GET /a?b HTTP/1.1\r\n",
  "HTTP/1.0 200 OK\r\n",
  "Host: a\r\n",
  "\r\n",
  "\n",
  " folded\r\n",
  "POST * HTTP/1.1\n",
);
const MORE_HTTP = of("GET http://h:80/ HTTP/1.1\r\n", "CONNECT h:1\r\n", "HTTP/", ":", " ", "\t", "A:b\n", x);
const JSON_LINES = of(
  '{"a":[1,2]}\n',
  "null\r\n",
  '"x"\n',
  "[[[",
  "]]]",
  "\n",
  "\r",
  "1e999\n",
  '{"__proto__":1}\n',
  "\xff",
  '"',
  "\\u",
);
const COMMANDS = of(
  "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
  "*1\r\n",
  "$4\r\nPING\r\n",
  "PING a\r\n",
  "\r\n",
  "*0\r\n",
  "$-1\r\n",
  "*",
  "$",
  "1",
  x,
);
const REPLIES = of(
  "+OK\r\n",
  "-ERR\r\n",
  ":12\r\n",
  "$2\r\nab\r\n",
  "*2\r\n",
  "%1\r\n",
  "~1\r\n",
  ">1\r\n",
  "_\r\n",
  "#t\r\n",
);
const MORE_REPLIES = of(
  ",1.5\r\n",
  "(99\r\n",
  "=5\r\ntxt:a\r\n",
  "*-1\r\n",
  "\r",
  "\n",
  "*9\r\n",
  "$9\r\n",
  "|1\r\n",
  "!1\r\na\r\n",
);
const LINES = of("hello\n", "a\r\n", "\n", "\r", x, "\xc3\xbc\n", "\xff");
const SHORT = of("\0", "\x01", "\x05hello", "\0\x05hello", "\0\0\0\x05hello", "\xff", x);

const target = (
  title: string,
  framing: Framing<any, any>,
  pieces: readonly Buffer[],
  bounded = true,
): Target => ({
  title,
  framing,
  pieces,
  bounded,
});

/** A byte with the length, the bytes, and their sum; asks for bytes where it can tell how many. */
const summed = customFraming<Buffer>({
  maxLength: 100,
  decode(bytes) {
    const length = (bytes[0] as number) + 2;
    if (bytes.length < length) return length;
    const frame = bytes.subarray(1, length - 1);
    const sum = frame.reduce((total, byte) => (total + byte) & 255, 0);
    if (sum !== bytes[length - 1]) throw new FramingError("frame_invalid", "crc");
    return { frame, length };
  },
  encode: (frame) => frame,
});

export const TARGETS: readonly Target[] = [
  target("raw", raw(), SHORT, false),
  target("packet(1)", packet(1), SHORT),
  target("packet(2)", packet(2, { maxLength: 200 }), SHORT),
  target("packet(4)", packet(4, { maxLength: 200 }), SHORT),
  target("lines", lines({ maxLength: 100 }), LINES),
  target("lines latin1", lines({ maxLength: 100, encoding: "latin1" }), LINES),
  target("lines buffer", lines({ maxLength: 100, encoding: "buffer" }), LINES),
  target(
    "delimited",
    delimited("\r\n.\r\n", { maxLength: 100 }),
    of("\r\n.\r\n", "\r\n", ".", "\r", "\n", "abc", x),
  ),
  target("delimited aab", delimited("aab", { maxLength: 100 }), of("aab", "a", "aa", "b", "c", x)),
  target(
    "varint",
    varint({ maxLength: 200 }),
    of("\x05hello", "\x80\x01", "\0", "\x80", "\xff\xff\xff\xff\x0f", "\x90\x01", x),
  ),
  target("custom", summed, of("\x05hello\x14", "\0\0", "\x02ab\xc3", "\x02ab", "\x60", "\xff", x)),
  target("fixed", fixed(7), of("x", "1234567", "ab")),
  target(
    "netstring",
    netstring({ maxLength: 200 }),
    of("5:hello,", "0:,", "12:", ",", ":", "0", "9", "199:", x),
  ),
  target("json", json({ maxLength: 100, maxDepth: 5 }), JSON_LINES),
  target("resp commands", resp({ maxLength: 200, maxWords: 5 }), COMMANDS),
  target("resp values", resp({ side: "client", maxLength: 200, maxDepth: 4 }), [...REPLIES, ...MORE_REPLIES]),
  target("erlang.line", erlang.line({ packetSize: 100 }), LINES),
  target("erlang.line in pieces", erlang.line({ lineLength: 8, lineDelimiter: 0x61 }), LINES),
  target(
    "erlang.asn1",
    erlang.asn1({ packetSize: 200 }),
    of("\x30\x05hello", "\x1f\x81\x01", "\x30\x82\0\x05hello", "\x30\x80", "\x1f\xff", "\x30\x85", x),
  ),
  target(
    "erlang.sunrm",
    erlang.sunrm({ packetSize: 200 }),
    of("\x80\0\0\x05hello", "\0\0\0\x02ab", "\x80\0\0\0", "\xff", x),
  ),
  target(
    "erlang.cdr",
    erlang.cdr({ packetSize: 200 }),
    of("GIOP\x01\0\0\0\0\0\0\x05hello", "GIOP\x01\0\x01\0\x05\0\0\0hello", "GIOP", "\0", x),
  ),
  target(
    "erlang.fcgi",
    erlang.fcgi({ packetSize: 200 }),
    of("\x01\x05\0\x01\0\x05\x03\0helloPAD", "\x01\x06\0\x01\0\0\0\0", "\x01", "\0", x),
  ),
  target(
    "erlang.tpkt",
    erlang.tpkt({ packetSize: 200 }),
    of("\x03\0\0\x09hello", "\x03\0\0\x04", "\x03", "\0", x),
  ),
  target(
    "erlang.sslTls",
    erlang.sslTls({ packetSize: 200 }),
    of("\x16\x03\x01\0\x05hello", "\x80\x09\x01\x03\x01helloo", "\x80\x02\x01", "\x17\x03\x03", x),
  ),
  target("proxy header v1", PROXY_HEADERS, V1_PIECES),
  target("proxy header v2", PROXY_HEADERS, V2_PIECES),
  target("erlang.http", erlang.http({ packetSize: 100 }), [...HTTP, ...MORE_HTTP]),
  target("erlang.httpBin", erlang.httpBin({ packetSize: 100 }), [...HTTP, ...MORE_HTTP]),
  target("erlang.httph", erlang.httph({ packetSize: 100 }), [...HTTP, ...MORE_HTTP]),
  target("erlang.httphBin", erlang.httphBin({ packetSize: 100 }), [...HTTP, ...MORE_HTTP]),
];

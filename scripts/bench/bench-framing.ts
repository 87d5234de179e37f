// Measures what decoding a frame costs in each framing: node scripts/run.mjs bench-framing. Each framing runs in a
// process of its own, as a server has one or two; the median of five runs, as a multiple of packet(2).

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ReusedBuffer } from "../../src/framing/buffer-view.js";
import * as erlang from "../../src/framing/erlang.js";
import { type BorrowingDecoder, encode, type FrameMemory, type Framing } from "../../src/framing/framing.js";
import { fixed } from "../../src/framing/length/fixed.js";
import { netstring } from "../../src/framing/length/netstring.js";
import { varint } from "../../src/framing/length/varint.js";
import { lines } from "../../src/framing/lines.js";
import { packet } from "../../src/framing/packet.js";
import { resp } from "../../src/framing/resp/resp.js";
import { delimited } from "../../src/framing/text/delimited.js";
import { json } from "../../src/framing/text/json.js";

const body = "x".repeat(64);
const bytes = Buffer.from(body);
const message = { id: 12345, name: "ada", text: "x".repeat(28) };

/** Encoded frame of 64 bytes, or a typical one, of each framing. */
const SUBJECTS: Record<string, readonly [framing: Framing<any, any>, wire: Buffer, frames?: number]> = {
  "packet(2)": [packet(2), encode(packet(2), bytes)],
  "packet(4)": [packet(4), encode(packet(4), bytes)],
  "lines()": [lines(), Buffer.from(`${body}\n`)],
  'lines({ encoding: "buffer" })': [lines({ encoding: "buffer" }), Buffer.from(`${body}\n`)],
  "fixed(64)": [fixed(64), bytes],
  "varint()": [varint(), encode(varint(), bytes)],
  "netstring()": [netstring(), encode(netstring(), bytes)],
  'delimited("\\r\\n")': [delimited("\r\n"), Buffer.from(`${body}\r\n`)],
  "json(), 60 bytes": [json(), encode(json(), message)],
  "resp(), 3 words": [resp(), encode(resp({ side: "client" }), ["SET", "key:000001", "x".repeat(32)])],
  "erlang.line()": [erlang.line(), Buffer.from(`${body}\n`)],
  "erlang.asn1()": [erlang.asn1(), Buffer.concat([Buffer.of(0x30, 64), bytes])],
  "erlang.sunrm()": [erlang.sunrm(), Buffer.concat([Buffer.of(0x80, 0, 0, 64), bytes])],
  "erlang.cdr()": [erlang.cdr(), Buffer.concat([Buffer.from("GIOP\x01\0\0\0\0\0\0\x40", "latin1"), bytes])],
  "erlang.fcgi()": [erlang.fcgi(), Buffer.concat([Buffer.of(1, 5, 0, 1, 0, 64, 0, 0), bytes])],
  "erlang.tpkt()": [erlang.tpkt(), Buffer.concat([Buffer.of(3, 0, 0, 68), bytes])],
  "erlang.sslTls()": [erlang.sslTls(), Buffer.concat([Buffer.of(23, 3, 3, 0, 64), bytes])],
  "erlang.http(), a line": [
    erlang.http(),
    Buffer.from("GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: text/html\r\n\r\n"),
    4,
  ],
};

const CHUNK = 16 * 1024;
const SECONDS = 0.3;

const buffer = Buffer.allocUnsafeSlow(CHUNK);
/** For framings with views inside of their frames: those are copied, to the same place each time. */
const memory: FrameMemory = {
  borrowed: true,
  buffer,
  memory: buffer.buffer,
  copyIn(from, start, length) {
    buffer.set(from.view(start, length), 0);
    return 0;
  },
  takeScratch: () => undefined,
  returnScratch: () => {},
};

/** Nanoseconds per frame: borrowed chunks of 16 KiB, as a server reads them under load. */
function measure(framing: Framing<any, any>, wire: Buffer, frames: number): number {
  const times = Math.floor(CHUNK / wire.length);
  const source = new ReusedBuffer(Buffer.concat(Array.from({ length: times }, () => wire)));
  const decoder = framing.decoder() as BorrowingDecoder<unknown>;
  let decoded = 0;
  const begin = process.hrtime.bigint();
  let spent = 0;
  while (spent < SECONDS * 1e9) {
    for (let i = 0; i < 50; i++) {
      decoder.pushBorrowed(source, source.buffer.length, memory);
      while (decoder.pull() !== undefined) decoded++;
    }
    spent = Number(process.hrtime.bigint() - begin);
  }
  if (decoded % (times * frames) !== 0) throw new Error(`${framing.name}: ${decoded} frames`);
  return spent / decoded;
}

const one = process.argv[2];
if (one !== undefined) {
  const [framing, wire, frames = 1] = SUBJECTS[one]!;
  const runs = Array.from({ length: 6 }, () => measure(framing, wire, frames)).slice(1);
  console.log(runs.sort((a, b) => a - b)[2]);
} else {
  const self = fileURLToPath(import.meta.url);
  const rows = Object.keys(SUBJECTS).map((title) => {
    const output = execFileSync(process.execPath, ["--enable-source-maps", self, title], {
      encoding: "utf8",
    });
    return [title, Number(output)] as const;
  });
  const unit = rows[0]![1];
  console.log("| framing | ns per frame | packet(2) = 1 |\n|---|---|---|");
  for (const [title, ns] of rows)
    console.log(`| \`${title}\` | ${ns.toFixed(0)} | ${(ns / unit).toFixed(1)} |`);
}

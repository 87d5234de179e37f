/**
 * Erlang's `decode_packet/3` by our decoders: the framing of a packet type, its frames as Erlang's terms, and the
 * result of one call. A vector is an object, one a line of a file:
 *
 *     { type, opts: { packet_size, line_length, line_delimiter }, in: hexadecimal, out }
 *       out  { ok: frame, rest } | { more: null or the length of the frame } | { error: "invalid" }
 *       in a frame: { bin: hex } | { str: hex } | { atom: name } | number | [tuple]
 */

import { readdirSync, readFileSync } from "node:fs";
import * as erlang from "../../../src/framing/erlang.js";
import { type Framing, FramingError } from "../../../src/framing/framing.js";
import type { HttpFrame, HttpUri } from "../../../src/framing/http/frames.js";
import type { ReceivedTlsRecord } from "../../../src/framing/length/ssl-tls.js";
import { packet } from "../../../src/framing/packet.js";
import { raw } from "../../../src/framing/raw.js";
import { HEADER_NAMES, METHODS } from "./http-atoms.js";

export interface Vector {
  readonly type: string | number;
  readonly opts: { packet_size?: number; line_length?: number; line_delimiter?: number };
  readonly in: string;
  readonly out: { ok: unknown; rest: string } | { more: number | null } | { error: string };
}

/** The vectors of all `.jsonl` files beside this file: a further one only has to be put there. */
export function readVectors(): Vector[] {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".jsonl"));
  return files.flatMap((name) =>
    readFileSync(`${import.meta.dirname}/${name}`, "utf8")
      .trim()
      .split("\n")
      .map((line): Vector => JSON.parse(line)),
  );
}

/** Greatest body of a packet in Erlang, where no packet_size is set; our framings always have a limit. */
const MOST = { 1: 255, 2: 65_535, 4: 0x7fff_fffb } as const;

type Make = (options: { packetSize: number }) => Framing<any, any>;
/** Packet types with a header, and what that can declare. */
const MEASURED: Readonly<Record<string, readonly [Make, number]>> = {
  asn1: [erlang.asn1, 0x7fff_fefa],
  sunrm: [erlang.sunrm, 0x7fff_fffb],
  cdr: [erlang.cdr, 0x7fff_fff3],
  fcgi: [erlang.fcgi, 65_790],
  tpkt: [erlang.tpkt, 65_531],
  ssl_tls: [erlang.sslTls, 65_535],
  http: [erlang.http, 0x7fff_ffff],
  http_bin: [erlang.httpBin, 0x7fff_ffff],
  httph: [erlang.httph, 0x7fff_ffff],
  httph_bin: [erlang.httphBin, 0x7fff_ffff],
};

export function framingOf({ type, opts }: Vector): Framing<any, any> {
  const size = opts.packet_size || Number.POSITIVE_INFINITY;
  if (type === "raw" || type === 0) return raw();
  if (type === "line") {
    const { line_length: lineLength, line_delimiter: lineDelimiter } = opts;
    return erlang.line({
      packetSize: Math.min(size, 0x7fff_ffff),
      ...(lineLength ? { lineLength } : {}),
      ...(lineDelimiter === undefined ? {} : { lineDelimiter }),
    });
  }
  if (type === 1 || type === 2 || type === 4) {
    return packet(type, { maxLength: Math.min(size, MOST[type]) });
  }
  const [make, most] = MEASURED[type] as readonly [Make, number];
  const { packet_size: packetSize, line_length: lineLength } = opts;
  if (isHttp(type) && lineLength)
    return (make as typeof erlang.http)({ lineLength, ...(packetSize && { packetSize }) });
  return make({ packetSize: Math.min(size, most) });
}

const isHttp = (type: Vector["type"]) => String(type).startsWith("http");

/** What Erlang would say to the bytes that come in these chunks, as far as its first frame. */
export function decodePacket(vector: Vector, chunks: readonly Buffer[]): Vector["out"] {
  const decoder = framingOf(vector).decoder();
  try {
    for (const [i, chunk] of chunks.entries()) {
      decoder.push(chunk);
      const frame = decoder.pull();
      if (frame === undefined) continue;
      const after = Buffer.concat(chunks.slice(i + 1)).length;
      const rest = decoder.buffered + after;
      return { ok: termOf(vector.type, frame), rest: rest === 0 ? "" : vector.in.slice(-2 * rest) };
    }
  } catch (error) {
    if (error instanceof FramingError && error.code.startsWith("frame_")) return { error: "invalid" };
    throw error;
  }
  return { more: decoder.needed ?? null };
}

function termOf(type: Vector["type"], frame: unknown): unknown {
  if (type === "ssl_tls") return tlsTerm(frame as ReceivedTlsRecord);
  if (isHttp(type)) return httpTerm(frame as HttpFrame<string | Buffer>);
  return textTerm(frame as Buffer);
}

function tlsTerm({ type, version, data }: ReceivedTlsRecord): unknown {
  return [{ atom: "ssl_tls" }, { str: "" }, type, [...version], textTerm(data)];
}

function textTerm(text: string | Buffer): unknown {
  return typeof text === "string"
    ? { str: Buffer.from(text, "latin1").toString("hex") }
    : { bin: text.toString("hex") };
}

function httpTerm(frame: HttpFrame<string | Buffer>): unknown {
  switch (frame.kind) {
    case "request":
      return [
        { atom: "http_request" },
        METHODS.has(frame.method) ? { atom: frame.method } : unknownName(frame.method),
        uriTerm(frame.uri),
        [...frame.version],
      ];
    case "response":
      return [{ atom: "http_response" }, [...frame.version], frame.status, textTerm(frame.reason)];
    case "header": {
      const index = HEADER_NAMES.indexOf(frame.name) + 1;
      const name = index > 0 ? { atom: frame.name } : unknownName(frame.name);
      return [{ atom: "http_header" }, index, name, unknownName(frame.original!), textTerm(frame.value)];
    }
    case "end":
      return { atom: "http_eoh" };
    case "error":
      return [{ atom: "http_error" }, textTerm(frame.line)];
  }
}

/** Names and methods are strings in all our HTTP framings; in Erlang's results they are as the other text. */
function unknownName(name: string): unknown {
  return { name: Buffer.from(name, "latin1").toString("hex") };
}

function uriTerm(uri: HttpUri<string | Buffer>): unknown {
  if (uri === "*") return { atom: "*" };
  switch (uri.kind) {
    case "abs_path":
      return [{ atom: "abs_path" }, textTerm(uri.path)];
    case "absoluteURI": {
      const port = uri.port ?? { atom: "undefined" };
      return [{ atom: "absoluteURI" }, { atom: uri.scheme }, textTerm(uri.host), port, textTerm(uri.path)];
    }
    case "scheme":
      return [{ atom: "scheme" }, textTerm(uri.scheme), textTerm(uri.rest)];
    case "string":
      return textTerm(uri.text);
  }
}

/** Erlang's result, with names of headers and methods written as `unknownName` does. */
export function expected({ type, out }: Vector): unknown {
  if (!isHttp(type) || !("ok" in out) || !Array.isArray(out.ok)) return out;
  const places = { http_request: [1], http_header: [2, 3] }[out.ok[0].atom as string] ?? [];
  const name = (term: any) => (term.atom === undefined ? { name: term.str ?? term.bin } : term);
  return { ...out, ok: out.ok.map((term, i) => (places.includes(i) ? name(term) : term)) };
}

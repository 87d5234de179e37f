/** Parses a PROXY header as one piece, and cut in every way that matters. */
import { expect } from "vitest";
import type { ProxyHeader } from "../../src/proxy/header.js";
import { ProxyParser } from "../../src/proxy/parser.js";

export interface Parsed {
  readonly header: ProxyHeader | undefined;
  /** Bytes taken until it was complete or refused. */
  readonly taken: number;
  /** Why it was refused. */
  readonly error: string | undefined;
}

/** Feeds pieces of these lengths, each in memory that is overwritten afterwards; the last takes the rest. */
export function parseIn(bytes: Buffer, pieces: readonly number[]): Parsed {
  const parser = new ProxyParser();
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    if (at >= bytes.length || parser.header !== undefined) break;
    const end = Math.min(at + length, bytes.length);
    // Not at the start of its memory, as in a read buffer that is used again.
    const memory = Buffer.concat([Buffer.from("junk"), bytes.subarray(at, end), Buffer.from("junk")]);
    const to = 4 + end - at;
    try {
      at += parser.take(memory, 4, to) - 4;
    } catch (error) {
      return { header: undefined, taken: parser.received, error: (error as Error).message };
    }
    memory.fill(0x21);
  }
  return { header: parser.header, taken: at, error: undefined };
}

/** What a header says, as a plain object. */
export function said(header: ProxyHeader | undefined): Record<string, unknown> | undefined {
  if (header === undefined) return undefined;
  const { version, local, family, source, destination, alpn, authority, uniqueId, netns, ssl, tlvs } = header;
  const fields = { version, local, family, source, destination, alpn, authority, uniqueId, netns, ssl };
  return { ...fields, tlvs: [...tlvs].map(([type, value]) => [type, value.toString("hex")]) };
}

/** Where it is refused depends on the pieces, because an error comes with the whole piece. */
function summary({ header, taken, error }: Parsed): string {
  return JSON.stringify([said(header), header && taken, error]);
}

/** Parses whole, cut once at every byte, and byte by byte: the result must be the same. */
export function parse(bytes: Buffer | string): Parsed {
  const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  const whole = parseIn(all, []);
  const expected = summary(whole);
  const cuts = Array.from({ length: all.length }, (_, at) => [at]);
  for (const pieces of [...cuts, new Array<number>(all.length).fill(1)]) {
    const cut = summary(parseIn(all, pieces));
    if (cut !== expected) expect([cut, pieces]).toEqual([expected, "however it is cut"]);
  }
  return whole;
}

/** Number of bytes after which a parser that is fed byte by byte refuses; `Infinity` if it does not. */
export function refusedAt(bytes: Buffer | string): number {
  const all = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  const parser = new ProxyParser();
  for (let at = 0; at < all.length; at++) {
    try {
      parser.take(all, at, at + 1);
    } catch {
      return at + 1;
    }
  }
  return Infinity;
}

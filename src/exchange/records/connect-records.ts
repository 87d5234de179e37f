/** First records of a worker on a link: which worker it is, and which of its processes are in which group. */
import { atLeast, count, serialAt } from "./malformed-record.js";
import { KIND, type RecordWriter } from "./records.js";

const HELLO = 2 + 8;
/** Serials in one row. */
const ROW = 4_096;

/** @param token highest that its processes were given */
export function writeHello(writer: RecordWriter, worker: number, token: number): void {
  const at = writer.add(KIND.hello, "", HELLO);
  writer.buffer.writeUInt16BE(worker, at);
  writer.buffer.writeDoubleBE(token, at + 2);
}

/** @throws MalformedRecord when the record is too short, or has no token */
export function readHello(body: Buffer): { readonly worker: number; readonly token: number } {
  return { worker: atLeast(body, HELLO).readUInt16BE(0), token: count(body.readDoubleBE(2)) };
}

/** All members of a group in the worker. */
export function writeRows(writer: RecordWriter, group: string, serials: readonly number[]): void {
  for (let first = 0; first < serials.length; first += ROW) {
    const row = serials.slice(first, first + ROW);
    const at = writer.add(KIND.row, group, 8 * row.length);
    row.forEach((serial, index) => void writer.buffer.writeDoubleBE(serial, at + 8 * index));
  }
}

/** @throws MalformedRecord at what is no serial */
export function* readRow(body: Buffer): Generator<number> {
  for (let at = 0; at + 8 <= body.length; at += 8) yield serialAt(body, at);
}

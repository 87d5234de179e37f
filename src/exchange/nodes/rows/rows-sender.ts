/**
 * Sends all rows of this server to another one, in parts that the carrier takes. A part is made when the parts before it
 * have left: a million rows are not in memory twice. A row that changes meanwhile is told as well, behind its part or
 * before it, so that the rows are complete and current at the last part.
 */
import { HEAD } from "../../records/records.js";
import { HEADER, PEER_KIND } from "../peer/peer-records.js";
import type { PeerStream } from "../peer/peer-stream.js";
import type { RowTable } from "./row-table.js";

/** Bytes that may wait when the next part is made. */
const WAITING = 1024 * 1024;
/** Bytes of a part: the other server does not stop for longer than it takes to read them. */
const PART = 256 * 1024;
const PART_HEAD = 9;

export class RowsSender {
  /** The `want` that it answers. */
  readonly id: number;
  readonly #stream: PeerStream;
  readonly #rows: Iterator<readonly [kind: number, name: string, body: Buffer]>;
  #next: readonly [kind: number, name: string, body: Buffer] | undefined;
  #index = 0;
  done = false;

  constructor(id: number, tables: readonly RowTable[], stream: PeerStream) {
    this.id = id;
    this.#stream = stream;
    this.#rows = allRows(tables);
    this.#next = this.#rows.next().value;
  }

  /** Adds parts to the stream, as long as little waits. */
  go(maxBytes: number): void {
    while (!this.done && this.#stream.waiting < WAITING) this.#part(Math.min(PART, maxBytes));
  }

  #part(maxBytes: number): void {
    const stream = this.#stream;
    stream.seal();
    if (!stream.room(0, PART_HEAD)) return;
    const { writer } = stream;
    const at = writer.add(PEER_KIND.part, "", PART_HEAD);
    writer.buffer.writeUInt32BE(this.id, at);
    writer.buffer.writeUInt32BE(this.#index++, at + 4);
    while (this.#next) {
      const [kind, name, body] = this.#next;
      const length = HEAD + Buffer.byteLength(name) + body.length;
      // One that the carrier cannot take at all is left out.
      if (HEADER + HEAD + PART_HEAD + length <= maxBytes) {
        if (writer.length + length > maxBytes) break;
        const start = writer.add(kind, name, body.length);
        writer.buffer.set(body, start);
      }
      this.#next = this.#rows.next().value;
    }
    this.done = this.#next === undefined;
    writer.buffer[at + 8] = this.done ? 1 : 0;
    stream.seal();
  }
}

function* allRows(tables: readonly RowTable[]): Generator<readonly [number, string, Buffer], undefined> {
  for (const table of tables)
    for (const name of table.names()) {
      const body = table.body(name);
      if (body) yield [table.kind, name, body];
    }
  return undefined;
}

/**
 * Rows of another server, as they are told: single changes, and all rows in parts, which replace in one step what was
 * known before. Changes and parts are counted by the table version, so that one that was lost is noticed.
 */
import { atLeast } from "../../records/malformed-record.js";
import type { RowPeer, RowTable } from "./row-table.js";
import { MAX_ROWS } from "./row-table.js";

/** All rows, while their parts arrive. */
interface Staging {
  readonly rows: Map<RowTable, Map<string, unknown>>;
  /** Table version behind what has arrived. */
  version: number;
  parts: number;
  count: number;
}

export class RowsReceiver {
  readonly #peer: RowPeer;
  readonly #tables: ReadonlyMap<number, RowTable>;
  /** -1: not complete. */
  #version = -1;
  #staging: Staging | undefined = undefined;
  /** Rows of the part that is being read belong to it. */
  #inPart = false;
  /** Id of the present `want`; 0: none is needed. */
  #wanted = 0;
  #lastWant = 0;

  constructor(peer: RowPeer, tables: ReadonlyMap<number, RowTable>) {
    this.#peer = peer;
    this.#tables = tables;
  }

  /** All rows are known, and none was lost. */
  get complete(): boolean {
    return this.#version >= 0;
  }

  /** Parts that have arrived for the present `want`: none since the last look means that one was lost. */
  get progress(): number {
    return this.#staging?.parts ?? 0;
  }

  /** All rows are needed. @returns the id to ask for them with */
  want(): number {
    this.#staging = undefined;
    this.#wanted = ++this.#lastWant;
    return this.#wanted;
  }

  /** Another incarnation, or one that was lost: what is known may be old. */
  reset(): void {
    this.#version = -1;
    this.#staging = undefined;
    this.#wanted = 0;
  }

  /** A batch begins. @returns false when rows were lost on the way */
  begin(version: number): boolean {
    this.#inPart = false;
    const staging = this.#staging;
    if (staging && staging.version !== version) this.#staging = undefined;
    if (this.#version === version) return true;
    this.#version = -1;
    return this.#staging !== undefined;
  }

  /** A part begins, in a batch of this table version. @throws MalformedRecord when it is too short */
  part(body: Buffer, version: number): "last" | undefined {
    const [id, index, last] = [atLeast(body, 9).readUInt32BE(0), body.readUInt32BE(4), body.readUInt8(8)];
    if (id !== this.#wanted) return undefined;
    if (index === 0) this.#staging = { rows: new Map(), version, parts: 0, count: 0 };
    const staging = this.#staging;
    // One before it was lost, or is of an earlier want.
    if (!staging || staging.parts !== index) return undefined;
    staging.parts++;
    this.#inPart = true;
    return last === 1 ? "last" : undefined;
  }

  /** A row. @returns false for a kind that is not known. @throws MalformedRecord when it is malformed */
  row(kind: number, name: string, body: Buffer): boolean {
    const table = this.#tables.get(kind);
    if (!this.#inPart) this.#advance();
    if (!table) return false;
    const value = body.length === 0 ? undefined : table.decode(name, body);
    if (this.#staging) stage(this.#staging, table, name, value);
    if (!this.#inPart) table.set(this.#peer, name, value, "ended");
    return true;
  }

  /** The last part has been read: its rows, and no others, are the rows of the server. */
  commit(): void {
    const staging = this.#staging;
    if (!staging) return;
    for (const table of this.#tables.values()) {
      const rows = staging.rows.get(table) ?? new Map<string, unknown>();
      for (const name of table.namesOf(this.#peer))
        if (!rows.has(name)) table.set(this.#peer, name, undefined, "ended");
      for (const [name, value] of rows) table.set(this.#peer, name, value, "ended");
    }
    this.#version = staging.version;
    this.#staging = undefined;
    this.#wanted = 0;
  }

  /** The server is gone, or says `bye`. */
  drop(why: "ended" | "lost"): void {
    this.forget(why);
    this.reset();
  }

  /** Removes what is known; parts that have arrived stay. */
  forget(why: "ended" | "lost"): void {
    for (const table of this.#tables.values())
      for (const name of [...table.namesOf(this.#peer)]) table.set(this.#peer, name, undefined, why);
  }

  /** A row counts also when its kind is not known. */
  #advance(): void {
    if (this.#version >= 0) this.#version++;
    if (this.#staging) this.#staging.version++;
  }
}

function stage(staging: Staging, table: RowTable, name: string, value: unknown): void {
  let rows = staging.rows.get(table);
  if (!rows) staging.rows.set(table, (rows = new Map()));
  if (value === undefined) rows.delete(name);
  else if (rows.has(name) || staging.count++ < MAX_ROWS) rows.set(name, value);
}

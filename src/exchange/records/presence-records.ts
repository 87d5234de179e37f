/** Records of presence: their layout, in `records.ts`, as functions. */

import { MAX_INFO, type PresenceChange, type PresenceRow } from "../../groups/hub/presence-table.js";
import type { Introduction } from "../../groups/local/presence-view.js";
import { atLeast, jsonAt, MalformedRecord, nameIn, serialAt } from "./malformed-record.js";
import { KIND, type RecordWriter } from "./records.js";

const HEAD = 8 + 2;

export function writeIntroduction(
  writer: RecordWriter,
  group: string,
  serial: number,
  { key, info }: Introduction,
): void {
  const keyLength = Buffer.byteLength(key);
  const at = writer.add(KIND.introduce, group, HEAD + keyLength + Buffer.byteLength(info));
  const { buffer } = writer;
  buffer.writeDoubleBE(serial, at);
  buffer.writeUInt16BE(keyLength, at + 8);
  buffer.write(key, at + HEAD, "utf8");
  buffer.write(info, at + HEAD + keyLength, "utf8");
}

/** @throws MalformedRecord when the record is too short, or has more than a worker sends */
export function readIntroduction(body: Buffer): Introduction & { readonly serial: number } {
  const info = HEAD + atLeast(body, HEAD).readUInt16BE(8);
  if (info > body.length || body.length - info > MAX_INFO)
    throw new MalformedRecord("an introduction of wrong length");
  const key = nameIn("member", body.toString("utf8", HEAD, info));
  return { serial: serialAt(body, 0), key, info: body.toString("utf8", info) };
}

type Fields = [string, number, number, string, string];
type WireChange = [
  all: boolean,
  joined: Fields[],
  left: [...Fields, PresenceChange["left"][number]["why"]][],
];

const fields = ({ node, worker, serial, key, info }: PresenceRow): Fields => [
  node,
  worker,
  serial,
  key,
  info,
];
const row = ([node, worker, serial, key, info]: Fields): PresenceRow => ({
  ...{ node, worker, serial, key, info },
});

export function writePresence(
  writer: RecordWriter,
  group: string,
  { all, joined, left }: PresenceChange,
): void {
  const wire: WireChange = [all, joined.map(fields), left.map((one) => [...fields(one), one.why])];
  const text = JSON.stringify(wire);
  const at = writer.add(KIND.presence, group, Buffer.byteLength(text));
  writer.buffer.write(text, at, "utf8");
}

/** @throws MalformedRecord when it is no change of presence */
export function readPresence(body: Buffer): PresenceChange {
  const wire = jsonAt(body, 0);
  if (!isWireChange(wire)) throw new MalformedRecord("JSON that is not a change of presence");
  const [all, joined, left] = wire;
  return {
    all,
    joined: joined.map(row),
    left: left.map(([node, worker, serial, key, info, why]) => ({
      ...{ node, worker, serial, key, info, why },
    })),
  };
}

function isWireChange(value: unknown): value is WireChange {
  if (!Array.isArray(value)) return false;
  const [all, joined, left] = value as unknown[];
  return (
    typeof all === "boolean" &&
    Array.isArray(joined) &&
    joined.every(hasFields) &&
    Array.isArray(left) &&
    left.every(hasFields)
  );
}

function hasFields(value: unknown): value is Fields {
  const types = ["string", "number", "number", "string", "string"];
  return Array.isArray(value) && types.every((type, at) => typeof value[at] === type);
}

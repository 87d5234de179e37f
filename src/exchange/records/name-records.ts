/** Records of names: their layout, in `records.ts`, as functions. M is a message as bytes (exchange) or as a value (worker). */
import { ASK_CODES, type AskCode } from "../../groups/hub/ask-table.js";
import type { PidPair } from "../../groups/hub/hub.js";
import type { ClaimResult } from "../../groups/hub/name-row.js";
import type { Message } from "../../groups/message.js";
import { atLeast, count, idOf, MalformedRecord, serialAt } from "./malformed-record.js";
import { putMessage } from "./put-message.js";
import { KIND, type RecordWriter } from "./records.js";

export interface ClaimRecord {
  readonly id: number;
  readonly serial: number;
  /** Whether a name that is held refuses it. */
  readonly refuse: boolean;
}

export function writeClaim(writer: RecordWriter, name: string, { id, serial, refuse }: ClaimRecord): void {
  const at = writer.add(KIND.claim, name, 13);
  writer.buffer.writeUInt32BE(id, at);
  writer.buffer.writeDoubleBE(serial, at + 4);
  writer.buffer[at + 12] = refuse ? 1 : 0;
}

/** @throws MalformedRecord when the record is too short, or has no serial */
export function readClaim(body: Buffer): ClaimRecord {
  atLeast(body, 13);
  return { id: idOf(body), serial: serialAt(body, 4), refuse: body.readUInt8(12) === 1 };
}

/** What an answer to a claim says, as the byte behind its id. */
const CLAIMED = ["none", "ended", "unknown", "taken"] as const;
const TAKEN = { refused: "taken" } as const;

export function writeClaimed(writer: RecordWriter, id: number, result: ClaimResult): void {
  const refused = "refused" in result;
  const at = writer.add(KIND.claimed, "", 13);
  writer.buffer.writeUInt32BE(id, at);
  writer.buffer[at + 4] = CLAIMED.indexOf(refused ? result.refused : result.previous);
  writer.buffer.writeDoubleBE(refused ? 0 : result.token, at + 5);
}

/** @throws MalformedRecord when it is no answer to a claim */
export function readClaimed(body: Buffer): { readonly id: number; readonly result: ClaimResult } {
  const said = CLAIMED[atLeast(body, 13).readUInt8(4)];
  const token = body.readDoubleBE(5);
  if (said === undefined || !Number.isFinite(token))
    throw new MalformedRecord("an answer to a claim that is not known");
  return { id: idOf(body), result: said === "taken" ? TAKEN : { token, previous: said } };
}

export function writeHeld(writer: RecordWriter, name: string, serial: number, token: number): void {
  const at = writer.add(KIND.held, name, 16);
  writer.buffer.writeDoubleBE(serial, at);
  writer.buffer.writeDoubleBE(token, at + 8);
}

/** @throws MalformedRecord when the record is too short, or one of them is none */
export function readHeld(body: Buffer): { readonly serial: number; readonly token: number } {
  return { serial: serialAt(body, 0), token: count(atLeast(body, 16).readDoubleBE(8)) };
}

/** Head of an ask, and of a request. */
export interface AskHead {
  readonly id: number;
  readonly within: number;
  readonly from: PidPair;
}

/** Bytes of a body ahead of the message. */
export const ASK_HEAD = 4 + 4 + 2 + 8;
export const ANSWER_HEAD = 4 + 1;

/** @param serial of the holder: only in a request */
export function writeAsk(
  writer: RecordWriter,
  kind: number,
  name: string,
  { id, within, from }: AskHead,
  serial: number | undefined,
  body: Message | Buffer,
): void {
  const node = serial === undefined ? "" : (from[2] ?? "");
  const nodeLength = Buffer.byteLength(node);
  const head = ASK_HEAD + (serial === undefined ? 0 : 9 + nodeLength);
  const at = writer.add(kind, name, head + body.byteLength);
  const { buffer } = writer;
  buffer.writeUInt32BE(id, at);
  buffer.writeUInt32BE(Math.min(within, 0xffff_ffff), at + 4);
  buffer.writeUInt16BE(from[0], at + 8);
  buffer.writeDoubleBE(from[1], at + 10);
  if (serial !== undefined) {
    buffer.writeDoubleBE(serial, at + ASK_HEAD);
    buffer[at + ASK_HEAD + 8] = nodeLength;
    buffer.write(node, at + ASK_HEAD + 9, "utf8");
  }
  putMessage(buffer, at + head, body);
}

/** @throws MalformedRecord when the record is too short. The body is a view */
export function readAsk(body: Buffer): AskHead & { readonly body: Buffer } {
  atLeast(body, ASK_HEAD);
  return {
    id: body.readUInt32BE(0),
    within: body.readUInt32BE(4),
    from: [body.readUInt16BE(8), body.readDoubleBE(10)],
    body: body.subarray(ASK_HEAD),
  };
}

/** @throws MalformedRecord when the record is too short */
export function readRequest(body: Buffer): AskHead & { readonly serial: number; readonly body: Buffer } {
  const { from, ...head } = readAsk(body);
  const message = ASK_HEAD + 9 + atLeast(body, ASK_HEAD + 9).readUInt8(ASK_HEAD + 8);
  atLeast(body, message);
  const node = body.toString("utf8", ASK_HEAD + 9, message);
  return {
    ...head,
    from: node === "" ? from : [from[0], from[1], node],
    serial: body.readDoubleBE(ASK_HEAD),
    body: body.subarray(message),
  };
}

/** @param body the answer, or in words why there is none */
export function writeAnswer(
  writer: RecordWriter,
  kind: number,
  id: number,
  code: AskCode,
  body: Message | Buffer | string,
): void {
  const content = typeof body === "string" ? Buffer.from(body) : body;
  const at = writer.add(kind, "", ANSWER_HEAD + content.byteLength);
  writer.buffer.writeUInt32BE(id, at);
  writer.buffer[at + 4] = ASK_CODES.indexOf(code);
  putMessage(writer.buffer, at + ANSWER_HEAD, content);
}

/** @throws MalformedRecord when the record is too short, or its code is not known. The body is a view */
export function readAnswer(body: Buffer): {
  readonly id: number;
  readonly code: AskCode;
  readonly body: Buffer;
} {
  const code = ASK_CODES[atLeast(body, ANSWER_HEAD).readUInt8(4)];
  if (code === undefined) throw new MalformedRecord("an answer with an unknown code");
  return { id: body.readUInt32BE(0), code, body: body.subarray(ANSWER_HEAD) };
}

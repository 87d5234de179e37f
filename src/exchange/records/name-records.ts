/** Records of names: their layout, in `records.ts`, as functions. M is a message as bytes (exchange) or as a value (worker). */
import { ASK_CODES, type AskCode } from "../../groups/hub/ask-table.js";
import type { PidPair } from "../../groups/hub/hub.js";
import { Message } from "../../groups/message.js";
import type { RecordWriter } from "./records.js";

/** Head of an ask, and of a request. */
export interface AskHead {
  readonly id: number;
  readonly within: number;
  readonly from: PidPair;
}

const ASK_HEAD = 4 + 4 + 2 + 8;

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
  putBody(buffer, at + head, body);
}

/** @throws RangeError when the record is too short. The body is a view */
export function readAsk(body: Buffer): AskHead & { readonly body: Buffer } {
  return {
    id: body.readUInt32BE(0),
    within: body.readUInt32BE(4),
    from: [body.readUInt16BE(8), body.readDoubleBE(10)],
    body: body.subarray(ASK_HEAD),
  };
}

/** @throws RangeError when the record is too short */
export function readRequest(body: Buffer): AskHead & { readonly serial: number; readonly body: Buffer } {
  const { from, ...head } = readAsk(body);
  const message = ASK_HEAD + 9 + body.readUInt8(ASK_HEAD + 8);
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
  const at = writer.add(kind, "", 5 + content.byteLength);
  writer.buffer.writeUInt32BE(id, at);
  writer.buffer[at + 4] = ASK_CODES.indexOf(code);
  putBody(writer.buffer, at + 5, content);
}

/** @throws RangeError when the record is too short. The body is a view */
export function readAnswer(body: Buffer): {
  readonly id: number;
  readonly code: AskCode;
  readonly body: Buffer;
} {
  const code = ASK_CODES[body.readUInt8(4)];
  if (code === undefined) throw new RangeError("an answer with an unknown code");
  return { id: body.readUInt32BE(0), code, body: body.subarray(5) };
}

function putBody(buffer: Buffer, at: number, body: Message | Buffer): void {
  if (body instanceof Message) body.write(buffer, at);
  else buffer.set(body, at);
}

/** Messages to processes of other workers, as records: the payload is passed on unread. */
import type { Message } from "../../groups/message.js";
import { atLeast, MalformedRecord, serialAt } from "./malformed-record.js";
import { putMessage } from "./put-message.js";
import { KIND, type LinkRecord, type RecordWriter } from "./records.js";

/** As the cluster's channel has it; exit signals always pass the primary. */
export interface LinkSignal {
  readonly to: readonly [worker: number, serial: number];
  readonly kind: "send" | "cast";
  readonly payload: Uint8Array;
  readonly pids: boolean;
}

const HEAD = 2 + 8 + 1 + 1;
const KINDS = ["send", "cast"] as const;

export function writeSignal(writer: RecordWriter, { to, kind, payload, pids }: LinkSignal): void {
  const at = writer.add(KIND.signal, "", HEAD + payload.byteLength);
  const { buffer } = writer;
  buffer.writeUInt16BE(to[0], at);
  buffer.writeDoubleBE(to[1], at + 2);
  buffer[at + 10] = KINDS.indexOf(kind);
  buffer[at + 11] = pids ? 1 : 0;
  buffer.set(payload, at + HEAD);
}

/** @throws MalformedRecord when it is none. The payload is a copy */
export function readSignal({ body }: LinkRecord): LinkSignal {
  const kind = KINDS[atLeast(body, HEAD)[10] as number];
  if (kind === undefined) throw new MalformedRecord("a signal of an unknown kind");
  const to = [body.readUInt16BE(0), serialAt(body, 2)] as const;
  return { to, kind, pids: body[11] === 1, payload: Buffer.from(body.subarray(HEAD)) };
}

export const REMOTE_HEAD = 2 + 8;

/** A message to a process of another server, or from one: what it says means the same there. */
export function writeRemote(
  writer: RecordWriter,
  kind: number,
  node: string,
  [worker, serial]: readonly [worker: number, serial: number],
  message: Message | Buffer,
): void {
  const at = writer.add(kind, node, REMOTE_HEAD + message.byteLength);
  writer.buffer.writeUInt16BE(worker, at);
  writer.buffer.writeDoubleBE(serial, at + 2);
  putMessage(writer.buffer, at + REMOTE_HEAD, message);
}

/** @throws MalformedRecord when the record is too short, or has no serial. The message is a view */
export function readRemote({ body }: LinkRecord): {
  readonly worker: number;
  readonly serial: number;
  readonly message: Buffer;
} {
  return {
    worker: atLeast(body, REMOTE_HEAD).readUInt16BE(0),
    serial: serialAt(body, 2),
    message: body.subarray(REMOTE_HEAD),
  };
}

/** The worker that a signal is for. */
export function signalTarget({ body }: LinkRecord): number {
  return body.length < HEAD ? 0 : body.readUInt16BE(0);
}

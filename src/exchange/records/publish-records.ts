/** Messages of groups as records, the same from a worker and to it: the exchange passes them on as they are. */
import type { PidPair } from "../../groups/hub/hub.js";
import { Message } from "../../groups/message.js";
import { putMessage } from "./put-message.js";
import { HEAD, KIND, LENGTH, type LinkRecord, NAME_LENGTH_AT, type RecordWriter } from "./records.js";

/** Bytes of a body ahead of the message: worker and serial of the member that does not get it. */
export const PUBLISH_HEAD = 2 + 8;

export function writePublish(
  writer: RecordWriter,
  group: string,
  message: Message | Buffer,
  [worker, serial]: PidPair,
): void {
  const at = writer.add(KIND.publish, group, PUBLISH_HEAD + message.byteLength);
  const { buffer } = writer;
  buffer.writeUInt16BE(worker, at);
  buffer.writeDoubleBE(serial, at + 2);
  putMessage(buffer, at + PUBLISH_HEAD, message);
}

/** Whether there is a message in it. */
export function isPublish({ start, end }: LinkRecord): boolean {
  return end - start > PUBLISH_HEAD;
}

/** Serial of the process of a worker that does not get the message; 0: none. */
export function exceptAt({ bytes, start }: LinkRecord, worker: number): number {
  return bytes.readUInt16BE(start) === worker ? bytes.readDoubleBE(start + 2) : 0;
}

/**
 * Marks messages that came from another machine, in place: each goes to all members here, and its sender is no process of
 * this server.
 */
export function markForeign(records: Buffer): void {
  for (let at = 0; at < records.length; at += LENGTH + records.readUInt32BE(at)) {
    const body = at + HEAD + records.readUInt16BE(at + NAME_LENGTH_AT);
    for (let byte = body; byte < body + PUBLISH_HEAD; byte++) records[byte] = 0;
    Message.markForeign(records, body + PUBLISH_HEAD);
  }
}

/** Messages of groups as records, the same from a worker and to it: the exchange passes them on as they are. */
import type { PidPair } from "../../groups/hub/hub.js";
import { Message } from "../../groups/message.js";
import { RecordReader } from "./record-reader.js";
import { KIND, type LinkRecord, type RecordWriter } from "./records.js";

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
  if (message instanceof Message) message.write(buffer, at + PUBLISH_HEAD);
  else buffer.set(message, at + PUBLISH_HEAD);
}

/** Whether there is a message in it. */
export function isPublish({ start, end }: LinkRecord): boolean {
  return end - start > PUBLISH_HEAD;
}

/** Serial of the process of a worker that does not get the message; 0: none. */
export function exceptAt({ bytes, start }: LinkRecord, worker: number): number {
  return bytes.readUInt16BE(start) === worker ? bytes.readDoubleBE(start + 2) : 0;
}

/** The messages of several records. */
export function* messagesIn(records: Buffer): Generator<Buffer> {
  const reader = new RecordReader();
  reader.push(records);
  for (let record = reader.next(); record !== undefined; record = reader.next())
    yield record.bytes.subarray(record.start + PUBLISH_HEAD, record.end);
}

/** Messages to processes of other workers, as records: the payload is passed on unread. */
import type { LinkRecord, RecordWriter } from "./records.js";
import { KIND } from "./records.js";

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

/** @returns `undefined` when it is none. The payload is a copy */
export function readSignal({ body }: LinkRecord): LinkSignal | undefined {
  const kind = body.length < HEAD ? undefined : KINDS[body[10] as number];
  if (kind === undefined) return undefined;
  const to = [body.readUInt16BE(0), body.readDoubleBE(2)] as const;
  return { to, kind, pids: body[11] === 1, payload: Buffer.from(body.subarray(HEAD)) };
}

/** The worker that a signal is for. */
export function signalTarget({ body }: LinkRecord): number {
  return body.length < HEAD ? 0 : body.readUInt16BE(0);
}

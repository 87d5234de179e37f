/**
 * Payload of a signal between OS processes: serialized once by the sender, read once by the receiver. The primary
 * passes bytes on: it knows their size, and nothing in them can harm it.
 *
 * Serialization turns a `Pid` into a plain object. A payload with pids is therefore `[value, pids]`: identity survives,
 * so the receiver has each of them in the list and restores it wherever in the value it is.
 */
import { types } from "node:util";
import { deserialize, serialize } from "node:v8";
import { Pid, restorePid } from "../../otp/process/pid.js";
import type { SignalEnvelope } from "./messages.js";

export type SignalPayload = Pick<SignalEnvelope, "payload" | "pids">;

/**
 * The beginning of a serialized pid: the tag of an object, and the name of its first property. Searching the bytes
 * for it costs a fiftieth of serializing them, so that only messages that have pids are walked through.
 */
const PID_MARK = pidMark();

function pidMark(): Buffer {
  const bytes = serialize(new Pid(0, 1));
  return bytes.subarray(bytes.indexOf("o"), bytes.indexOf("worker") + "worker".length);
}

/** @throws Error (`DataCloneError`) when the value cannot be copied: it has a function, for example */
export function encodePayload(value: unknown): SignalPayload {
  const payload = serialize(value);
  if (!payload.includes(PID_MARK)) return { payload, pids: false };
  const pids = pidsIn(value);
  if (pids.length === 0) return { payload, pids: false };
  return { payload: serialize([value, pids]), pids: true };
}

/** @throws Error when the bytes are malformed: a protocol can call `process.send` itself */
export function decodePayload({ payload, pids }: SignalPayload): unknown {
  const decoded = deserialize(payload);
  if (!pids) return decoded;
  const [value, copies] = decoded as [unknown, unknown[]];
  for (const copy of copies) restorePid(copy);
  return value;
}

export function holdsPid(value: unknown): boolean {
  return pidsIn(value).length > 0;
}

/** All pids in a value, in arrays, maps, sets, objects and causes of errors; a loop, as a list may be a million long. */
function pidsIn(value: unknown): Pid[] {
  const pids: Pid[] = [];
  const seen = new Set<unknown>();
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== "object" || one === null || seen.has(one)) continue;
    seen.add(one);
    if (one instanceof Pid) pids.push(one);
    else for (const inner of contents(one)) left.push(inner);
  }
  return pids;
}

function contents(value: object): Iterable<unknown> {
  if (ArrayBuffer.isView(value)) return [];
  if (types.isMap(value)) return [...value.keys(), ...value.values()];
  if (types.isSet(value)) return value;
  if (types.isNativeError(value)) return [value.cause];
  return Object.values(value);
}

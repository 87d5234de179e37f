/** Checks of what comes over a link: a worker's protocol can forge it, and another version may send what is not known here. */
import { nameFault } from "../../groups/name.js";

/**
 * Bytes that are no record, or one that is not sent here. Records are read by functions that throw nothing else: an error
 * of another class is a fault of this program.
 */
export class MalformedRecord extends Error {
  override readonly name = "MalformedRecord";
}

/** @returns the body. @throws MalformedRecord when it is shorter than `length` bytes */
export function atLeast(body: Buffer, length: number): Buffer {
  if (body.length < length) throw new MalformedRecord(`${body.length} bytes, ${length} are needed`);
  return body;
}

/** @throws MalformedRecord when it is no whole number that a double holds exactly */
export function count(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new MalformedRecord(`${value} is not a count`);
  return value;
}

/**
 * A serial at this place of a body: other servers are told it in text, and refuse what is none.
 * @throws MalformedRecord when there is none
 */
export function serialAt(body: Buffer, at: number): number {
  return count(atLeast(body, at + 8).readDoubleBE(at));
}

/** The id with which a body begins. @throws MalformedRecord when it is shorter */
export function idOf(body: Buffer): number {
  return atLeast(body, 4).readUInt32BE(0);
}

/**
 * @param what the thing that has the name, for the message: `group`
 * @throws MalformedRecord when it is not the name of one
 */
export function nameIn(what: string, name: string): string {
  const fault = nameFault(what, name);
  if (fault !== undefined) throw new MalformedRecord(fault);
  return name;
}

/** JSON from this place of a body on. @throws MalformedRecord when it is none */
export function jsonAt(body: Buffer, at: number): unknown {
  const text = atLeast(body, at).toString("utf8", at);
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedRecord("text that is not JSON");
  }
}

/** A JSON object from this place of a body on; its fields may be missing. @throws MalformedRecord when it is none */
export function objectAt<T extends object>(body: Buffer, at: number): { readonly [K in keyof T]?: unknown } {
  const value = jsonAt(body, at);
  if (typeof value !== "object" || value === null) throw new MalformedRecord("JSON that is not an object");
  return value;
}

/**
 * Message of a group: a portable value, encoded at most once by the sender's OS process and decoded at most once in each
 * OS process that has members. Its bytes are a tag and the value: JSON text, a string, or bytes. v8's own format is not
 * used: it costs 14 times as much as bytes, and a program in another language cannot read it.
 */
import { isUint8Array } from "node:util/types";
import type { Portable } from "../tcp/protocol/sources.js";

const BYTES = 0;
const STRING = 1;
const JSON_TEXT = 2;

let maxMessage = 64 * 1024;

/** Sets the bound of a message in bytes (`--max-message`). Default 64 KiB. */
export function setMaxMessage(bytes: number): void {
  maxMessage = bytes;
}

let frozen = false;

/** Whether values are frozen from now on: for tests, where a member that changes what all members share shall throw. */
export function freezeMessages(on: boolean): void {
  frozen = on;
}

export class Message {
  readonly #tag: number;
  /** A string, JSON text, or bytes of its own. */
  readonly #content: string | Uint8Array;
  /** Length of the content in bytes. */
  readonly length: number;
  #value: unknown = undefined;

  private constructor(tag: number, content: string | Uint8Array, length: number) {
    this.#tag = tag;
    this.#content = content;
    this.length = length;
  }

  /**
   * What is changed in the value afterwards does not change the message.
   * @throws TypeError when the value is not portable, RangeError when it is larger than `--max-message`
   */
  static of(value: Portable): Message {
    if (typeof value === "string") return Message.#checked(STRING, value, Buffer.byteLength(value));
    if (isUint8Array(value)) {
      if (value.byteLength > maxMessage) refuse(value.byteLength);
      return new Message(BYTES, Buffer.from(value), value.byteLength);
    }
    const text = portableText(value);
    return Message.#checked(JSON_TEXT, text, Buffer.byteLength(text));
  }

  static #checked(tag: number, content: string, length: number): Message {
    if (length > maxMessage) refuse(length);
    return new Message(tag, content, length);
  }

  /** @throws Error when the bytes are not those of a message */
  static read(bytes: Buffer): Message {
    const tag = bytes[0];
    if (tag === BYTES) return new Message(BYTES, Buffer.from(bytes.subarray(1)), bytes.length - 1);
    if (tag !== STRING && tag !== JSON_TEXT) throw new Error(`no message begins with ${tag}`);
    return new Message(tag, bytes.toString("utf8", 1), bytes.length - 1);
  }

  /** Length of `write` in bytes. */
  get byteLength(): number {
    return this.length + 1;
  }

  /** @returns the offset behind it */
  write(into: Buffer, at: number): number {
    into[at] = this.#tag;
    const content = this.#content;
    if (typeof content === "string") return at + 1 + into.write(content, at + 1, "utf8");
    into.set(content, at + 1);
    return at + 1 + content.length;
  }

  /** Whether it has a value: JSON text from another OS process may be none. */
  get readable(): boolean {
    try {
      return this.value !== undefined;
    } catch {
      return false;
    }
  }

  /** The value; all callers share it. @throws SyntaxError when it came as JSON text that is none */
  get value(): unknown {
    if (this.#tag !== JSON_TEXT) return this.#content;
    return (this.#value ??= parsed(this.#content as string));
  }
}

function parsed(text: string): unknown {
  if (!frozen) return JSON.parse(text);
  return JSON.parse(text, (_, value) => (typeof value === "object" ? Object.freeze(value) : value));
}

function refuse(length: number): never {
  throw new RangeError(
    `the message has ${length} bytes, at most ${maxMessage} are sent: send a reference, or raise --max-message`,
  );
}

/** JSON text of a value that is not a string. Objects inside are as `JSON.stringify` takes them. */
function portableText(value: unknown): string {
  const prototype = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined;
  const plain =
    value === null ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value)) ||
    Array.isArray(value) ||
    prototype === Object.prototype ||
    (typeof value === "object" && prototype === null);
  if (!plain)
    throw new TypeError(
      `a message must be a JSON value or bytes, got ${prototype?.constructor?.name ?? String(typeof value)}`,
    );
  return JSON.stringify(value);
}

/**
 * Message of a group: a portable value, encoded at most once by the sender's OS process and decoded at most once in each
 * OS process that has members. Its bytes are a tag, where it comes from, and the value: JSON text, a string, or bytes.
 * v8's own format is not used: it costs 14 times as much as bytes, and a program in another language cannot read it.
 *
 *   u8 kind of value, and flags · [u16 worker · f64 serial of the sender] · [f64 time of sending] · value
 */
import { isUint8Array } from "node:util/types";
import { machineTime } from "../otp/time/clock.js";
import type { Portable } from "../tcp/protocol/sources.js";

const BYTES = 0;
const STRING = 1;
const JSON_TEXT = 2;
const KIND_BITS = 3;
/** Flags of the tag. */
const HAS_SENDER = 128;
const HAS_TIME = 64;
/** It comes from another machine, whose clock is another one. */
const FOREIGN = 32;
const SENDER_LENGTH = 2 + 8;
const TIME_LENGTH = 8;
/** Of so many messages one has the time: reading the clock for each costs a tenth of a batched publish. */
const TIMED = 8;

let sent = 0;

/** The process that sent a message, as `[worker, serial]`. */
export type Sender = readonly [worker: number, serial: number];

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

/** Larger than `--max-message`. */
export class MessageTooLarge extends RangeError {}

export class Message {
  readonly #tag: number;
  /** A string, JSON text, or bytes of its own. */
  readonly #content: string | Uint8Array;
  /** Length of the content in bytes. */
  readonly length: number;
  #value: unknown = undefined;
  sender: Sender | undefined = undefined;
  /** When it was sent, on the clock of the machine; 0: not known. */
  sentAt = 0;

  private constructor(tag: number, content: string | Uint8Array, length: number) {
    this.#tag = tag;
    this.#content = content;
    this.length = length;
  }

  /**
   * What is changed in the value afterwards does not change the message.
   * @param most bytes. Default: `--max-message` of this OS process
   * @throws TypeError when the value is not portable, RangeError when it is larger than `--max-message`
   */
  static of(value: Portable, most = maxMessage): Message {
    if (typeof value === "string") return Message.#checked(STRING, value, Buffer.byteLength(value), most);
    if (isUint8Array(value)) {
      if (value.byteLength > most) refuse(value.byteLength, most);
      return new Message(BYTES, Buffer.from(value), value.byteLength);
    }
    const text = portableText(value);
    return Message.#checked(JSON_TEXT, text, Buffer.byteLength(text), most);
  }

  /** It is sent now. */
  from(sender: Sender | undefined): this {
    this.sender = sender;
    if (sent++ % TIMED === 0) this.sentAt = machineTime();
    return this;
  }

  static #checked(tag: number, content: string, length: number, most: number): Message {
    if (length > most) refuse(length, most);
    return new Message(tag, content, length);
  }

  /** Reads a message out of bytes. @throws Error when they are not a message */
  static read(bytes: Buffer): Message {
    const message = Message.tryRead(bytes);
    if (!message) throw new Error("the bytes are no message");
    return message;
  }

  /** As `read`; `undefined` when the bytes are no message: a newer version sent them, or they are forged. */
  static tryRead(bytes: Buffer, start = 0, end = bytes.length): Message | undefined {
    if (start >= end) return undefined;
    const first = bytes[start] as number;
    const tag = first & KIND_BITS;
    if (tag === KIND_BITS || (first & ~(KIND_BITS | HAS_SENDER | HAS_TIME | FOREIGN)) !== 0) return undefined;
    const time = start + 1 + ((first & HAS_SENDER) !== 0 ? SENDER_LENGTH : 0);
    const at = time + ((first & HAS_TIME) !== 0 ? TIME_LENGTH : 0);
    if (at > end) return undefined;
    const content = tag === BYTES ? Buffer.from(bytes.subarray(at, end)) : bytes.toString("utf8", at, end);
    const message = new Message(tag, content, end - at);
    // A pid of another machine would be taken for one of this server.
    if ((first & FOREIGN) !== 0) return message;
    if ((first & HAS_SENDER) !== 0)
      message.sender = [bytes.readUInt16BE(start + 1), bytes.readDoubleBE(start + 3)];
    if ((first & HAS_TIME) !== 0) message.sentAt = bytes.readDoubleBE(time);
    return message;
  }

  /** Marks the bytes of a message that came from another machine. */
  static markForeign(bytes: Buffer, start: number): void {
    bytes[start] = (bytes[start] as number) | FOREIGN;
  }

  /** Length of `write` in bytes. */
  get byteLength(): number {
    return this.length + 1 + (this.sender ? SENDER_LENGTH : 0) + (this.sentAt > 0 ? TIME_LENGTH : 0);
  }

  /** @returns the offset behind it */
  write(into: Buffer, start: number): number {
    const { sender, sentAt } = this;
    into[start] = this.#tag | (sender ? HAS_SENDER : 0) | (sentAt > 0 ? HAS_TIME : 0);
    let at = start + 1;
    if (sender) {
      into.writeUInt16BE(sender[0], at);
      at = into.writeDoubleBE(sender[1], at + 2);
    }
    if (sentAt > 0) at = into.writeDoubleBE(sentAt, at);
    const content = this.#content;
    if (typeof content === "string") return at + into.write(content, at, "utf8");
    into.set(content, at);
    return at + content.length;
  }

  /** Whether it has a value: text from another OS process may not be JSON. */
  get readable(): boolean {
    try {
      return this.value !== undefined;
    } catch {
      return false;
    }
  }

  /** The value; all callers share it. @throws SyntaxError when it came as text that is not JSON */
  get value(): unknown {
    if (this.#tag !== JSON_TEXT) return this.#content;
    return (this.#value ??= parsed(this.#content as string));
  }
}

function parsed(text: string): unknown {
  if (!frozen) return JSON.parse(text);
  return JSON.parse(text, (_, value) => (typeof value === "object" ? Object.freeze(value) : value));
}

function refuse(length: number, most: number): never {
  throw new MessageTooLarge(
    `the message has ${length} bytes, at most ${most} are sent: send a reference, or raise --max-message`,
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
      `a message must be a JSON value or bytes, got ${typeof value === "number" ? value : (prototype?.constructor?.name ?? typeof value)}`,
    );
  return JSON.stringify(value);
}

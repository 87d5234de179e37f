/**
 * Messages of a group on their way to the members of this OS process. All members share the values, and all sockets of
 * one framing the encoded bytes: framing a message costs as much for 10,000 members as for one.
 */
import { type Framing, FramingError } from "../../../framing/framing.js";

/** One message. It waits in mailboxes as it is: nothing is allocated per member. */
export class SharedMessage {
  readonly value: unknown;
  /** For those who trace a member. */
  readonly group: string;
  readonly sender: readonly [worker: number, serial: number] | undefined;

  #framing: Framing<any, any> | undefined = undefined;
  #bytes: Buffer | undefined = undefined;

  constructor(value: unknown, group: string, sender: SharedMessage["sender"]) {
    this.value = value;
    this.group = group;
    this.sender = sender;
  }

  /** As a frame. @throws FramingError when the framing cannot carry it */
  bytes(framing: Framing<any, any>): Buffer {
    // Members with different framings in one group are rare: only the last one is remembered.
    if (this.#framing === framing && this.#bytes) return this.#bytes;
    const bytes = Buffer.allocUnsafeSlow(framing.encodedLength(this.value));
    framing.encodeInto(this.value, bytes, 0);
    this.#framing = framing;
    this.#bytes = bytes;
    return bytes;
  }
}

/** Frames of several messages. */
export interface SharedFrames {
  readonly bytes: Buffer;
  readonly count: number;
  /** Messages that are left out: the framing cannot carry them, or they are no frames. */
  readonly tooLarge: number;
  readonly invalid: number;
}

/** Consecutive messages of one group: a member that forwards them gets them in one write. */
export class SharedMessages {
  readonly list: readonly SharedMessage[];
  #framing: Framing<any, any> | undefined = undefined;
  #frames: SharedFrames | undefined = undefined;

  constructor(list: readonly SharedMessage[]) {
    this.list = list;
  }

  /** All of them as frames, encoded at the first call. */
  frames(framing: Framing<any, any>): SharedFrames {
    if (this.#framing !== framing || this.#frames === undefined) {
      this.#frames = this.#encode(framing);
      this.#framing = framing;
    }
    return this.#frames;
  }

  #encode(framing: Framing<any, any>): SharedFrames {
    const frames: Buffer[] = [];
    let tooLarge = 0;
    for (const message of this.list) {
      try {
        frames.push(message.bytes(framing));
      } catch (error) {
        if (isTooLong(error)) tooLarge++;
      }
    }
    const count = frames.length;
    const bytes = count === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
    return { bytes, count, tooLarge, invalid: this.list.length - count - tooLarge };
  }
}

/** Whether the framing cannot carry the frame; any other error means that it is none. */
export function isTooLong(error: unknown): boolean {
  return error instanceof FramingError && error.code === "send_too_long";
}

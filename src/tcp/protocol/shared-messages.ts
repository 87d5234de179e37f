/**
 * Messages of a group on their way to the members of this OS process. All members share the values, and all sockets of
 * one framing the encoded bytes: framing a message costs as much for 10,000 members as for one.
 */
import { type Framing, FramingError } from "../../framing/framing.js";

/** One message. It waits in mailboxes as it is: nothing is allocated per member. */
export class SharedMessage {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Consecutive messages of one group: a member that forwards them gets them in one write. */
export class SharedMessages {
  readonly list: readonly SharedMessage[];
  #framing: Framing<any, any> | undefined = undefined;
  #bytes: Buffer | undefined = undefined;

  constructor(list: readonly SharedMessage[]) {
    this.list = list;
  }

  /** All of them as frames, encoded at the first call; `undefined` when the framing cannot carry one of them. */
  bytes(framing: Framing<any, any>): Buffer | undefined {
    // Members with different framings in one group are rare: only the last one is remembered.
    if (this.#framing === framing) return this.#bytes;
    this.#framing = framing;
    this.#bytes = this.#encode(framing);
    return this.#bytes;
  }

  #encode(framing: Framing<any, any>): Buffer | undefined {
    try {
      const lengths = this.list.map(({ value }) => framing.encodedLength(value));
      const bytes = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + length, 0));
      let at = 0;
      for (const { value } of this.list) at = framing.encodeInto(value, bytes, at);
      return bytes;
    } catch (error) {
      if (error instanceof FramingError) return undefined;
      throw error;
    }
  }
}

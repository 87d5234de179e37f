/** Messages that were published while the exchange could not be reached: kept for 1 s, and up to 1 MiB. */
import type { Message } from "../../groups/message.js";
import type { Pid } from "../../otp/process/pid.js";
import { clock } from "../../otp/time/clock.js";

/** Milliseconds. */
const KEEP = 1_000;
/** Bytes that wait for the link: of messages, and as many of asks. */
export const MAX_UNSENT = 1024 * 1024;

export interface Unsent {
  readonly group: string;
  readonly message: Message;
  readonly except: Pid | undefined;
}

export class UnsentMessages {
  readonly #onDropped: (count: number) => void;
  #messages: { readonly unsent: Unsent; readonly at: number }[] = [];
  #bytes = 0;

  /** @param onDropped called with the number of messages that are given up */
  constructor(onDropped: (count: number) => void) {
    this.#onDropped = onDropped;
  }

  add(unsent: Unsent): void {
    this.#expire();
    if (this.#bytes + unsent.message.byteLength > MAX_UNSENT) return this.#onDropped(1);
    this.#bytes += unsent.message.byteLength;
    this.#messages.push({ unsent, at: clock.now() });
  }

  /** Takes out those that are not too old, in the order in which they were added. */
  take(): Unsent[] {
    this.#expire();
    const all = this.#messages.map(({ unsent }) => unsent);
    this.#messages = [];
    this.#bytes = 0;
    return all;
  }

  #expire(): void {
    const oldest = clock.now() - KEEP;
    const first = this.#messages.findIndex(({ at }) => at >= oldest);
    const expired = this.#messages.splice(0, first === -1 ? this.#messages.length : first);
    for (const { unsent } of expired) this.#bytes -= unsent.message.byteLength;
    if (expired.length > 0) this.#onDropped(expired.length);
  }
}

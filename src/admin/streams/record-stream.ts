/**
 * Log records as server-sent events. A client that reads too slowly loses records instead of its connection, and hears
 * how many: `event: lost`.
 */
import type { LogRecord } from "../../control/program.js";
import type { EventStream } from "./event-streams.js";

/** Unread bytes from which on records are left out: half of what would end the stream. */
const MAX_WAITING = 128 * 1024;

export class RecordStream {
  readonly #stream: EventStream;
  #lost = 0;

  constructor(stream: EventStream) {
    this.#stream = stream;
    stream.onDrain(() => this.#tellLost());
  }

  send(record: LogRecord): void {
    if (this.#stream.unread > MAX_WAITING) {
      this.#lost++;
      return;
    }
    this.#tellLost();
    this.#stream.event("record", JSON.stringify(record));
  }

  #tellLost(): void {
    if (this.#lost > 0) this.#stream.event("lost", JSON.stringify({ lost: this.#lost }));
    this.#lost = 0;
  }
}

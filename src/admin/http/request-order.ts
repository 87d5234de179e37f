/**
 * Requests of one connection that are sent without waiting for answers: one in a turn of the event loop. Node hands over
 * all of a read at once, and 64 clients with 200 each held up a health check for 5 s.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

export class RequestOrder {
  readonly #last = new WeakMap<Socket, ServerResponse>();

  /** Calls `handle` at once, or after the answer to the request before; not if the connection ends before that. */
  next(socket: Socket, outgoing: ServerResponse, handle: () => void): void {
    const before = this.#last.get(socket);
    this.#last.set(socket, outgoing);
    if (before === undefined || before.writableFinished) return handle();
    before.once("finish", () => setImmediate(() => !socket.destroyed && handle()));
  }
}

/** Accepted sockets that wait unread, oldest first: the backlog of a listener that cannot leave them in the kernel's. */
import type { Socket } from "../../transport/transport.js";

export class WaitingSockets {
  readonly #sockets: Socket[] = [];
  readonly #most: number;

  /** @param most sockets that may wait */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#sockets.length;
  }

  /** @returns false: there is no room for it */
  add(socket: Socket): boolean {
    return this.#sockets.length < this.#most && this.#sockets.push(socket) > 0;
  }

  take(): Socket | undefined {
    return this.#sockets.shift();
  }

  /** Closes all of them. */
  clear(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }
}

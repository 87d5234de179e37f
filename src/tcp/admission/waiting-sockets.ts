/** Accepted sockets that wait unread, oldest first: the backlog of a listener that cannot leave them in the kernel's. */
import type { Socket } from "../../transport/transport.js";

export interface WaitingSocket {
  readonly socket: Socket;
  /** Of its address, if that has limits and the socket is counted already. */
  readonly group: string | undefined;
}

export class WaitingSockets {
  readonly #sockets: WaitingSocket[] = [];
  readonly #most: number;

  /** @param most sockets that may wait */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#sockets.length;
  }

  get full(): boolean {
    return this.#sockets.length >= this.#most;
  }

  /** @returns false: there is no room for it */
  add(socket: Socket, group?: string): boolean {
    return !this.full && this.#sockets.push({ socket, group }) > 0;
  }

  take(): WaitingSocket | undefined {
    return this.#sockets.shift();
  }
}

/**
 * A listener's copy of the listening socket, from `acquire`. To stop accepting for a while it pauses, where the transport
 * can, or closes that copy and acquires another one. It does not know whether listeners of other OS processes accept on
 * the same socket.
 */
import type { Listening, Socket } from "../../transport/transport.js";
import type { ListenerOptions } from "./options.js";

export interface ListenerAddress {
  readonly address: string;
  readonly port: number;
}

export interface SocketOwner {
  accepted(socket: Socket): void;
  /** It is closed, and accepts no more. */
  failed(error: NodeJS.ErrnoException): void;
}

export class ListeningSocket {
  readonly #options: ListenerOptions;
  readonly #owner: SocketOwner;
  #copy: Listening | undefined = undefined;
  #address: ListenerAddress;

  constructor(options: ListenerOptions, owner: SocketOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#address = options.address ?? { address: "", port: 0 };
  }

  /** The present one, or the last. */
  get address(): ListenerAddress {
    return this.#address;
  }

  /** Whether there is a copy, paused or not. */
  get isOpen(): boolean {
    return this.#copy !== undefined;
  }

  /** Whether it can stop accepting and go on without another copy. */
  get pausable(): boolean {
    return this.#copy?.pausing !== undefined;
  }

  /**
   * @param needed asked when there is a copy: if it is no longer needed, it is closed
   * @param opened called as soon as it accepts; after this promise a suspend may have come in between
   * @throws NodeJS.ErrnoException when the address cannot be had
   */
  async open(needed: () => boolean, opened: () => void): Promise<void> {
    const target = await this.#options.acquire();
    const { backlog, transport } = this.#options;
    const copy = await transport.listen(target, {
      backlog,
      onSocket: this.#owner.accepted,
      onError: (error) => {
        this.#copy = undefined;
        this.#owner.failed(error);
      },
    });
    if (!needed() || this.#copy) return copy.close();
    this.#copy = copy;
    this.#address = { address: copy.address, port: copy.port };
    opened();
  }

  /** Stops accepting: new clients queue in the backlog. */
  pause(): void {
    const { pausing } = this.#copy ?? {};
    if (pausing) pausing.pause();
    else this.close();
  }

  /** @returns whether it accepts again; otherwise it must be opened again */
  resume(): boolean {
    const { pausing } = this.#copy ?? {};
    pausing?.resume();
    return pausing !== undefined;
  }

  close(): void {
    this.#copy?.close();
    this.#copy = undefined;
  }
}

/**
 * Clients that are refused because a limit of connections is reached: each gets the frame of its protocol (`full`), if
 * there is one, and is closed. What it sends is discarded. Time, number and bytes are bounded, so that refused clients
 * hold nothing: above a bound they are reset at once.
 */
import { clock } from "../../otp/time/clock.js";
import type { Socket, SocketOwner } from "../../transport/transport.js";

/** Clients that may be reading that frame at once. They are within the reserve of descriptors. */
const MOST = 16;
/** Milliseconds for a client to take the frame and close its side. */
const LINGER = 1_000;
/** Bytes of one client that are read and discarded: unread ones would turn FIN into RST, and the frame be lost. */
const MOST_BYTES = 65_536;

class Refused implements SocketOwner {
  readonly #socket: Socket;
  readonly #closed: () => void;
  readonly #deadline = clock.setTimeout(() => this.#socket.reset(), LINGER, true);
  #bytes = 0;

  constructor(socket: Socket, closed: () => void) {
    this.#socket = socket;
    this.#closed = closed;
  }

  onChunk(chunk: Buffer): void {
    this.#received(chunk.length);
  }

  onBytes(_shared: Buffer, length: number): void {
    this.#received(length);
  }

  #received(length: number): void {
    this.#bytes += length;
    if (this.#bytes > MOST_BYTES) this.#socket.reset();
  }

  onEnd(): void {
    this.#socket.destroy();
  }

  onWritten(): void {}

  onClosed(): void {
    clock.clearTimeout(this.#deadline);
    this.#closed();
  }
}

export class Refusals {
  #open = 0;

  /** Clients that are reading the frame. */
  get open(): number {
    return this.#open;
  }

  /** @param frame encoded; `undefined`: it is reset at once */
  refuse(socket: Socket, frame: Buffer | undefined): void {
    if (frame === undefined || this.#open >= MOST) return socket.reset();
    this.#open++;
    socket.start(
      new Refused(socket, () => {
        this.#open--;
      }),
    );
    socket.write(frame);
    socket.end();
  }
}

/** Of this OS process. */
export const processRefusals = new Refusals();

/**
 * Transport with the faults of a bad network: received bytes come in small pieces, late, and the connection is reset
 * after some of them. A kernel on loopback delivers what was written at once, so that a test never sees a frame cut in two.
 */
import { clock, type TimerRef } from "../otp/time/clock.js";
import { type Duration, toMs } from "../otp/time/duration.js";
import type { ListenOptions, Peer, Socket, SocketOwner, Transport } from "../transport/transport.js";

/** What happens to the bytes that clients send. */
export interface Faults {
  /** The protocol gets them in pieces of so many bytes; 1 cuts every frame everywhere. Default: as they come. */
  readonly split?: number;
  /** Each piece comes so much later, on drover's clock. Default: in a turn of the event loop of its own. */
  readonly delay?: Duration;
  /** The connection is reset after so many bytes. Default: never. */
  readonly resetAfter?: number;
}

/** @throws TypeError when a number makes no sense */
export function faulty(transport: Transport, faults: Faults): Transport {
  const { split = Infinity, delay = 0, resetAfter = Infinity } = faults;
  if (!(split >= 1)) throw new TypeError(`faults: "split" must be a number of bytes from 1 on, got ${split}`);
  if (!(resetAfter >= 0))
    throw new TypeError(`faults: "resetAfter" must be a number of bytes, got ${resetAfter}`);
  const rules = { split, resetAfter, delayMs: toMs(delay) };
  return {
    ...transport,
    listen: (target, options: ListenOptions) =>
      transport.listen(target, {
        ...options,
        onSocket: (socket) => options.onSocket(new FaultySocket(socket, rules)),
      }),
    secure: () => {
      throw new TypeError("faults: TLS is not possible together with faults: serve without one of them");
    },
  };
}

interface Rules {
  readonly split: number;
  readonly resetAfter: number;
  readonly delayMs: number;
}

class FaultySocket implements Socket, SocketOwner {
  readonly #socket: Socket;
  readonly #rules: Rules;
  #owner: SocketOwner | undefined = undefined;
  #pieces: Buffer[] = [];
  /** Bytes until the reset. */
  #left: number;
  #timer: TimerRef = undefined;
  #waiting = false;
  #paused = false;
  #ended = false;
  #over = false;
  #closed = false;

  constructor(socket: Socket, rules: Rules) {
    this.#socket = socket;
    this.#rules = rules;
    this.#left = rules.resetAfter;
  }

  // -- the owner's side ---------------------------------------------------------------------------------

  get peer(): Peer {
    return this.#socket.peer;
  }

  get local(): Peer {
    return this.#socket.local;
  }

  get unsent(): number {
    return this.#socket.unsent;
  }

  start(owner: SocketOwner): void {
    this.#owner = owner;
    this.#socket.start(this);
  }

  setOwner(owner: SocketOwner): void {
    this.#owner = owner;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#next();
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  writeTwo(head: Buffer, body: Uint8Array): boolean {
    return this.#socket.writeTwo(head, body);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#discard();
    this.#socket.destroy();
  }

  reset(): void {
    this.#discard();
    this.#socket.reset();
  }

  #discard(): void {
    const late = this.#closed && this.#isPending;
    this.#drop();
    // Never within a call of the owner.
    if (late) setImmediate(() => this.#owner?.onClosed(undefined));
  }

  #drop(): void {
    this.#over = true;
    this.#pieces = [];
    clock.clearTimeout(this.#timer);
  }

  // -- the socket's side --------------------------------------------------------------------------------

  onBytes(shared: Buffer, length: number): void {
    this.onChunk(Buffer.from(shared.subarray(0, length)));
  }

  onChunk(chunk: Buffer): void {
    if (this.#over) return;
    const { split } = this.#rules;
    for (let at = 0; at < chunk.length; at += split) this.#pieces.push(chunk.subarray(at, at + split));
    // What the kernel holds stays there until these have been delivered.
    this.#socket.pause();
    this.#next();
  }

  onEnd(): void {
    this.#ended = true;
    this.#next();
  }

  onWritten(): void {
    this.#owner?.onWritten();
  }

  /** Both sides have finished: what came before is still delivered. An error comes at once. */
  onClosed(code: string | undefined): void {
    this.#closed = true;
    if (code === undefined && this.#isPending) return;
    this.#drop();
    this.#owner?.onClosed(this.#left > 0 ? code : "ECONNRESET");
  }

  get #isPending(): boolean {
    return !this.#over && (this.#pieces.length > 0 || this.#ended);
  }

  /** The next piece, or the end behind the last one; never within a call of the owner. */
  #next(): void {
    if (this.#waiting || this.#paused || this.#over) return;
    if (this.#pieces.length === 0 && !this.#ended) return this.#socket.resume();
    this.#waiting = true;
    const deliver = () => {
      this.#waiting = false;
      if (!this.#paused && !this.#over) this.#deliver();
    };
    if (this.#rules.delayMs === 0) setImmediate(deliver);
    else this.#timer = clock.setTimeout(deliver, this.#rules.delayMs);
  }

  #deliver(): void {
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      this.#over = true;
      this.#owner?.onEnd();
      if (this.#closed) this.#owner?.onClosed(undefined);
      return;
    }
    const delivered = piece.subarray(0, this.#left);
    this.#left -= delivered.length;
    if (delivered.length > 0) this.#owner?.onChunk(delivered);
    if (this.#left > 0) return this.#next();
    this.#drop();
    this.#socket.reset();
  }
}

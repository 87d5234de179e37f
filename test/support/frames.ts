/** TCP client with {packet, 2} framing. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class FrameClient {
  readonly socket: Socket;
  readonly frames: Buffer[] = [];
  /** How the connection ended: `end` (FIN), or the error code. */
  readonly closed: Promise<string>;
  /**
   * The other side has ended the connection, with FIN or RST. Unlike `closed`, it comes in the order of the bytes of
   * all clients: node closes a socket only after all reads of its turn.
   */
  readonly left: Promise<void>;
  isClosed = false;
  #rest = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    let how = "end";
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      how = error.code ?? error.message;
    });
    this.left = new Promise((resolve) => {
      socket.once("end", resolve).once("error", () => resolve());
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.isClosed = true;
        resolve(how);
        this.#wake();
      });
    });
  }

  /** Connects; rejects when refused. */
  static async connect(port: number, host = "127.0.0.1"): Promise<FrameClient> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, "connect");
    return new FrameClient(socket);
  }

  /** A client of this address of the loopback network: how it ends tells whether it was refused. */
  static from(port: number, localAddress = "127.0.0.1"): FrameClient {
    return new FrameClient(connect({ port, host: "127.0.0.1", localAddress, noDelay: true }));
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE(0)) {
      const end = 2 + this.#rest.readUInt16BE(0);
      this.frames.push(this.#rest.subarray(2, end));
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one();
  }

  send(payload: string | Buffer): void {
    const body = Buffer.from(payload);
    const header = Buffer.from([body.length >> 8, body.length & 255]);
    this.socket.write(Buffer.concat([header, body]));
  }

  /** The next frame; rejects when the connection closes first. */
  async receive(): Promise<Buffer> {
    for (;;) {
      const frame = this.frames.shift();
      if (frame) return frame;
      if (this.isClosed) throw new Error(`closed (${await this.closed}) before a frame came`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Sends a frame and returns the next one as text. */
  async ask(payload: string): Promise<string> {
    this.send(payload);
    return (await this.receive()).toString();
  }

  end(): void {
    this.socket.destroy();
  }
}

/** TCP client that can send, half-close, reset, or not read. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until } from "./until.js";

export class Client {
  readonly socket: Socket;
  /** Number of bytes received. */
  received = 0;
  #chunks: Buffer[] = [];
  /** The server has finished sending. */
  ended = false;
  closed = false;
  /** Error code of the socket, such as ECONNRESET. */
  code: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.received += chunk.length;
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.code = error.code;
    });
    socket.on("close", () => {
      this.closed = true;
    });
  }

  static async connect(port: number, host = "127.0.0.1"): Promise<Client> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await once(socket, "connect");
    return new Client(socket);
  }

  /** @param path of a UNIX socket */
  static async connectTo(path: string): Promise<Client> {
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, "connect");
    return new Client(socket);
  }

  /** All bytes received. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  write(bytes: Buffer | string): this {
    this.socket.write(bytes);
    return this;
  }

  /** Sends {packet, 2} frames in one write. */
  send(...frames: (string | Buffer)[]): this {
    return this.write(Buffer.concat(frames.map(packet2)));
  }

  /** Complete {packet, 2} frames received, as text. */
  get frames(): string[] {
    const { bytes } = this;
    const frames: string[] = [];
    for (let at = 0; at + 2 <= bytes.length; ) {
      const end = at + 2 + bytes.readUInt16BE(at);
      if (end > bytes.length) break;
      frames.push(bytes.toString("utf8", at + 2, end));
      at = end;
    }
    return frames;
  }

  /** Waits until this many frames were received. */
  async receive(count = 1): Promise<string[]> {
    await until(() => this.frames.length >= count || this.closed || this.ended);
    return this.frames;
  }

  /** Waits for the server's FIN, or for the close of the connection. */
  async end(): Promise<this> {
    await until(() => this.ended || this.closed);
    return this;
  }

  async close(): Promise<this> {
    this.socket.destroy();
    await until(() => this.closed);
    return this;
  }

  /** Half-closes: sends FIN. */
  finish(): this {
    this.socket.end();
    return this;
  }

  /** Closes with RST. */
  reset(): this {
    this.socket.resetAndDestroy();
    return this;
  }
}

/** One {packet, 2} frame. */
export function packet2(payload: string | Buffer): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(2);
  header.writeUInt16BE(body.length);
  return Buffer.concat([header, body]);
}

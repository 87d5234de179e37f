/** A client that does to a server what real ones do: sends, half-closes, resets, or does not read. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until } from "./until.js";

export class Client {
  readonly socket: Socket;
  /** How many bytes came. */
  received = 0;
  #chunks: Buffer[] = [];
  /** The server has finished sending. */
  ended = false;
  closed = false;
  /** The word of the system for how it failed. */
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

  /** All that came. */
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

  /** The whole {packet, 2} frames that came, as text. */
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

  /** Waits until so many frames came. */
  async receive(count = 1): Promise<string[]> {
    await until(() => this.frames.length >= count || this.closed || this.ended);
    return this.frames;
  }

  /** Waits for the server's FIN, or for the end of all. */
  async end(): Promise<this> {
    await until(() => this.ended || this.closed);
    return this;
  }

  async close(): Promise<this> {
    this.socket.destroy();
    await until(() => this.closed);
    return this;
  }

  /** Says that it has finished sending. */
  finish(): this {
    this.socket.end();
    return this;
  }

  /** Leaves rudely: RST. */
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

// A client of the protocol of chaos that sends texts and reads the replies one by one.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class FrameSocket {
  readonly #socket: Socket;
  #got = Buffer.alloc(0);

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1" });
    // A failure is what `next` reports; between two calls it is not lost, because the socket stays destroyed.
    this.#socket.on("error", () => {});
  }

  send(text: string): void {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(Buffer.byteLength(text));
    this.#socket.write(Buffer.concat([header, Buffer.from(text)]));
  }

  /**
   * @returns the next frame as text
   * @throws the error of the socket, or an AbortError after this time
   */
  async next(withinMs: number): Promise<string> {
    const signal = AbortSignal.timeout(withinMs);
    while (this.#got.length < 4 || this.#got.length < 4 + this.#got.readUInt32BE(0)) {
      const [part] = (await once(this.#socket, "data", { signal })) as [Buffer];
      this.#got = Buffer.concat([this.#got, part]);
    }
    const end = 4 + this.#got.readUInt32BE(0);
    const text = this.#got.toString("utf8", 4, end);
    this.#got = this.#got.subarray(end);
    return text;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

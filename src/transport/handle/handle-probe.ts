/**
 * Probe of the handle transport at boot: one connection over loopback, one write each way, both ends close. Node's
 * internal bindings are not a public API, so a change must show here and not with a client.
 */
import { connect } from "node:net";
import type { Listening, Socket, SocketOwner } from "../transport.js";
import { handle } from "./handle.js";

const HELLO = "hello";

/** @returns what failed; `undefined` when the probe passed */
export async function probe(): Promise<string | undefined> {
  let listening: Listening | undefined;
  try {
    const served = new Promise<string>((resolve, reject) => {
      const onSocket = (socket: Socket) => socket.start(new Echo(socket, resolve));
      handle
        .listen({ host: "127.0.0.1", port: 0 }, { backlog: 1, onSocket, onError: reject })
        .then((bound) => {
          listening = bound;
          const client = connect(bound.port, "127.0.0.1", () => client.end(HELLO));
          let answer = "";
          client.setTimeout(2_000, () => client.destroy(new Error("no answer")));
          client.on("data", (chunk) => (answer += chunk)).on("error", reject);
          client.on("end", () => answer !== HELLO && reject(new Error(`got ${JSON.stringify(answer)} back`)));
        }, reject);
    });
    const seen = await served;
    return seen === "bytes end closed" ? undefined : `the probe saw ${seen}`;
  } catch (error) {
    return `the probe failed: ${(error as Error).message}`;
  } finally {
    listening?.close();
  }
}

class Echo implements SocketOwner {
  readonly #socket: Socket;
  readonly #done: (seen: string) => void;
  readonly #seen: string[] = [];

  constructor(socket: Socket, done: (seen: string) => void) {
    this.#socket = socket;
    this.#done = done;
  }

  onChunk(): void {
    this.#seen.push("chunk");
  }

  onBytes(shared: Buffer, length: number): void {
    this.#seen.push("bytes");
    if (!this.#socket.write(Buffer.from(shared.subarray(0, length)))) this.#seen.push("waits");
  }

  onEnd(): void {
    this.#seen.push("end");
    this.#socket.end();
  }

  onWritten(): void {
    this.#seen.push("written");
  }

  onClosed(code: string | undefined): void {
    this.#seen.push(code ?? "closed");
    this.#done(this.#seen.join(" "));
  }
}

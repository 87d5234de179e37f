/** Port at which debuggers attach to one worker: passes bytes on, and knows how many WebSockets are open. */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface InspectorTarget {
  /** Port of the worker's own inspector, on 127.0.0.1. */
  readonly port: number;
  /** A debugger may go on once it resolves. */
  onAttached(attached: boolean): Promise<void>;
}

/** Bytes of a request in which its headers are looked for. */
const MAX_HEADERS = 8 * 1024;

export class InspectorPort {
  #target: InspectorTarget | undefined = undefined;
  #server: Server | undefined = undefined;
  readonly #clients = new Set<Socket>();
  #attached = 0;

  /** The worker that debuggers reach from now on. */
  set target(target: InspectorTarget) {
    this.disconnect();
    this.#target = target;
  }

  /** @returns the port. @throws NodeJS.ErrnoException when it is taken */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const bound = (server: Server) => resolve((server.address() as { port: number }).port);
      if (this.#server?.listening) return bound(this.#server);
      const server = createServer((client) => this.#accept(client));
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject).on("error", () => {});
        // A debugger must not keep the program running.
        server.unref();
        this.#server = server;
        bound(server);
      });
    });
  }

  #accept(client: Socket): void {
    const target = this.#target;
    client.on("error", () => {});
    if (target === undefined) return void client.destroy();
    const inspector = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
    inspector.on("error", () => {}).on("close", () => client.destroy());
    inspector.pipe(client.setNoDelay(true));
    this.#clients.add(client);
    client.on("close", () => {
      this.#clients.delete(client);
      inspector.destroy();
    });
    this.#passOn(client, inspector, target);
  }

  /** A debugger opens a WebSocket; other requests only ask for its URL. */
  #passOn(client: Socket, inspector: Socket, target: InspectorTarget): void {
    let text = "";
    const look = async (chunk: Buffer) => {
      text = `${text}${chunk.toString("latin1")}`.slice(-MAX_HEADERS);
      if (!/^upgrade: *websocket\r$/im.test(text)) return void inspector.write(chunk);
      client.off("data", look).pause();
      await this.#attach(client, target);
      inspector.write(chunk);
      client.pipe(inspector);
    };
    client.on("data", look);
  }

  async #attach(client: Socket, target: InspectorTarget): Promise<void> {
    client.on("close", () => {
      if (--this.#attached === 0) void target.onAttached(false);
    });
    if (++this.#attached === 1) await target.onAttached(true);
  }

  /** Closes what is connected; the port stays. */
  disconnect(): void {
    this.#target = undefined;
    for (const client of this.#clients) client.destroy();
  }

  close(): void {
    this.disconnect();
    this.#server?.close();
  }
}

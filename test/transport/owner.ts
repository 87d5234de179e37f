/** Socket owners that record their callbacks, and listening sockets that close with their test. */
import { expect, onTestFinished } from "vitest";
import type {
  Listening,
  ListenTarget,
  Socket,
  SocketOwner,
  Transport,
} from "../../src/transport/transport.js";
import { Client } from "../support/client.js";
import { turn, until } from "../support/until.js";

export class Owner implements SocketOwner {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  received = 0;
  ended = 0;
  written = 0;
  /** One code per call of `onClosed`; there must never be two. */
  readonly closed: (string | undefined)[] = [];
  /** Inside a call to the socket: nothing may come back from there. */
  #calling = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  /** Calls the socket; what it tells its owner meanwhile is an error. */
  call<T>(what: (socket: Socket) => T): T {
    this.#calling = true;
    try {
      return what(this.socket);
    } finally {
      this.#calling = false;
    }
  }

  start(): this {
    this.call((socket) => socket.start(this));
    return this;
  }
  write(bytes: string | Buffer): boolean {
    return this.call((socket) => socket.write(Buffer.from(bytes)));
  }

  onChunk(chunk: Buffer): void {
    this.#checkCallback(this.ended);
    expect(chunk.length).toBeGreaterThan(0);
    this.chunks.push(chunk);
    this.received += chunk.length;
  }
  onBytes(shared: Buffer, length: number): void {
    this.onChunk(Buffer.from(shared.subarray(0, length)));
    // Overwrites the shared memory, so that a view of it kept by mistake shows up.
    shared.fill(0x21, 0, length);
  }
  onEnd(): void {
    this.#checkCallback(this.ended);
    this.ended++;
  }
  onWritten(): void {
    this.#checkCallback(0);
    this.written++;
  }
  onClosed(code: string | undefined): void {
    this.#checkCallback(0);
    this.closed.push(code);
  }

  #checkCallback(before: number): void {
    expect([this.#calling, before, this.closed.length]).toEqual([false, 0, 0]);
  }
}

/** Owns every socket and gives back what it receives. */
export class Echo extends Owner {
  override onChunk(chunk: Buffer): void {
    super.onChunk(chunk);
    this.write(chunk);
  }
  override onEnd(): void {
    super.onEnd();
    this.socket.end();
  }
}

/** A transport, and what else a test needs to know of it. */
export interface TestTransport extends Transport {
  /** Default: plain TCP. */
  connectClient?(port: number): Promise<Client>;
  /** How many connections are many. Default 1,000. */
  readonly connections?: number;
}

export interface Stage {
  readonly listening: Listening;
  /** What was accepted, oldest first. */
  readonly owners: Owner[];
  connect(): Promise<Client>;
  /** A client and the started owner of its socket. */
  pair(): Promise<{ client: Client; owner: Owner }>;
}

/** Listens until the test ends. */
export async function stage(
  transport: TestTransport,
  make: (socket: Socket) => Owner = (socket) => new Owner(socket),
  target: ListenTarget = { host: "127.0.0.1", port: 0 },
): Promise<Stage> {
  const owners: Owner[] = [];
  const clients: Client[] = [];
  const listening = await transport.listen(target, {
    backlog: 1024,
    onSocket: (socket) => void owners.push(make(socket)),
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => {
    listening.close();
    for (const { socket } of owners) socket.destroy();
    await Promise.all(clients.map((client) => client.close()));
  });
  const connect = async () => {
    const { address, port } = listening;
    const client = await (port === 0
      ? Client.connectTo(address)
      : (transport.connectClient ?? Client.connect)(port));
    clients.push(client);
    return client;
  };
  const pair = async () => {
    const before = owners.length;
    const client = await connect();
    const owner = await until(() => owners[before]);
    return { client, owner: owner.start() };
  };
  return { listening, owners, connect, pair };
}

/** Writes until the kernel takes no more, with the client paused. Returns how many bytes that were. */
export async function fill(owner: Owner): Promise<number> {
  const block = Buffer.alloc(1_000_000, "x");
  for (let sent = block.length; ; sent += block.length) {
    if (owner.write(block)) continue;
    // With TLS a write may wait for the one before it, and not for the kernel.
    await turn(3);
    if (owner.written === 0) return sent;
    owner.written = 0;
  }
}

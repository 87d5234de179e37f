// Clients of the groups benchmark: members that count the bytes they get, and one that asks the server to publish.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { BODY } from "./servers.js";

/** How a client speaks to a server. */
export interface Dialect {
  /** What is said before anything else, and what the server answers. */
  hello(): readonly (readonly [text: Buffer | string, answer: string])[];
  join(room: string): Buffer | string;
  /** What the server says when it is a member. */
  readonly joined: string;
  publish(room: string, count: number): Buffer | string;
}

export const packetOf = (text: string): Buffer => {
  const frame = Buffer.alloc(2 + Buffer.byteLength(text));
  frame.writeUInt16BE(frame.length - 2);
  frame.write(text, 2);
  return frame;
};

/** @param state of the protocol: `forwards` or `handles` */
export const packets = (state: string): Dialect => ({
  hello: () => [],
  join: (room) => packetOf(`${state} ${room}`),
  joined: "ok",
  publish: (room, count) => packetOf(`go ${room} ${count}`),
});

/** A frame of a client, masked with zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

const UPGRADE = [
  "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
];

export const webSocket: Dialect = {
  hello: () => [
    [UPGRADE.join("\r\n"), "pingInterval"],
    [frame("40"), '40{"sid"'],
  ],
  join: (room) => frame(`42["join","${room}"]`),
  joined: '["ok"]',
  publish: (room, count) => frame(`42["go","${room}",${count}]`),
};

export const natsText: Dialect = {
  hello: () => [['CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n', "PONG"]],
  join: (room) => `SUB ${room} 1\r\nPING\r\n`,
  joined: "PONG",
  publish: (room, count) => `PUB ${room} ${BODY}\r\n${"x".repeat(BODY)}\r\n`.repeat(count),
};

const QUIET = 300;

export async function opened(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").setNoDelay();
  await once(socket, "connect");
  return socket;
}

/** Resolves when the server has said this. */
export async function said(socket: Socket, words: string): Promise<void> {
  let text = "";
  while (!text.includes(words)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    text += chunk.toString("latin1");
  }
}

function words(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once("data", (chunk) => resolve(chunk.toString("latin1"))));
}

/** A connection in each of two workers, by pid. */
export async function oneInEachWorker(port: number): Promise<Map<string, Socket>> {
  const found = new Map<string, Socket>();
  const workers = new Set<string>();
  while (found.size < 2) {
    const socket = await opened(port);
    socket.write(packetOf("who"));
    const [pid = "", worker = ""] = /<(\d+)[\d.]*>/.exec(await words(socket)) ?? [];
    if (workers.has(worker)) socket.destroy();
    else found.set(pid, socket);
    workers.add(worker);
  }
  return found;
}

export class Crowd {
  readonly #dialect: Dialect;
  readonly #room: string;
  readonly #members: Socket[] = [];
  #publisher: Socket | undefined = undefined;
  #bytes = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #got: () => void = () => {};
  /** Bytes of one message at one member. */
  #unit = 0;

  constructor(dialect: Dialect, room: string) {
    this.#dialect = dialect;
    this.#room = room;
  }

  async open(port: number, members: number): Promise<void> {
    this.#publisher = await this.#greeted(port);
    for (let at = 0; at < members; at += 50)
      this.#members.push(...(await Promise.all(Array.from({ length: 50 }, () => this.#member(port)))));
    // What a message is on this wire.
    this.#publisher.write(this.#dialect.publish(this.#room, 1));
    for (let before = -1; before !== this.#bytes || before === 0; ) {
      before = this.#bytes;
      await new Promise((resolve) => setTimeout(resolve, QUIET));
    }
    this.#unit = this.#bytes / members;
    if (!Number.isInteger(this.#unit) || this.#unit < BODY)
      throw new Error(`a message is ${this.#unit} bytes at a member`);
  }

  async #greeted(port: number): Promise<Socket> {
    const socket = await opened(port);
    for (const [text, answer] of this.#dialect.hello()) {
      socket.write(text);
      await said(socket, answer);
    }
    return socket;
  }

  async #member(port: number): Promise<Socket> {
    const socket = await this.#greeted(port);
    const { join, joined } = this.#dialect;
    socket.write(join(this.#room));
    await said(socket, joined);
    socket.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes >= this.#wanted) this.#got();
    });
    return socket;
  }

  /** Publishes so many messages in one turn, again and again. @returns the number of deliveries */
  async publish(count: number, ms: number): Promise<number> {
    const until = performance.now() + ms;
    let deliveries = 0;
    while (performance.now() < until) {
      this.#bytes = 0;
      this.#wanted = count * this.#unit * this.#members.length;
      const all = new Promise<void>((resolve) => (this.#got = resolve));
      this.#publisher?.write(this.#dialect.publish(this.#room, count));
      await all;
      deliveries += count * this.#members.length;
    }
    if (this.#bytes !== this.#wanted) throw new Error("more bytes than were sent");
    return deliveries;
  }

  close(): void {
    for (const socket of [...this.#members, ...(this.#publisher ? [this.#publisher] : [])]) socket.destroy();
  }
}

/** A few people who chat: more and less, as people do. Who loses the connection comes back. */
import { connect, type Socket } from "node:net";

const NAMES = ["ada", "joe", "mike", "robert", "klacke"];
const SAYINGS = ["hello, mike", "hello, joe", "system working?", "seems to be"];
/** Milliseconds between two turns of all who talk much, and of the one who does not. */
const EVERY = 100;
const CALM_EVERY = 900;
/** Turns of a wave of talking. */
const WAVE = 17;

export class Clients {
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #turn = 0;
  #left = 0;

  constructor(port: number) {
    this.#port = port;
  }

  begin(): void {
    for (const at of NAMES.keys()) this.#join(at);
    this.#timers.push(setInterval(() => this.#talk(), EVERY));
    this.#timers.push(setInterval(() => this.#say(0), CALM_EVERY));
  }

  /** The peer, as the server calls it, whose words can be read. */
  get calm(): string {
    const { localAddress, localPort } = this.#sockets[0] as Socket;
    return `${localAddress}:${localPort}`;
  }

  #join(at: number): void {
    const socket = connect(this.#port, "127.0.0.1");
    this.#sockets[at] = socket;
    send(socket, { name: NAMES[at] });
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#timers.length > 0) this.#join(at);
    });
  }

  /** One of those who talk much leaves, and comes back: perhaps to another worker. */
  oneComesBack(): void {
    this.#left = (this.#left % (NAMES.length - 1)) + 1;
    this.#sockets[this.#left]?.destroy();
  }

  #talk(): void {
    this.#turn++;
    for (let at = 1; at < NAMES.length; at++) {
      const words = 2 + Math.round(2 * Math.sin(this.#turn / WAVE + at));
      for (let n = 0; n < words; n++) this.#say(at);
    }
  }

  #say(at: number): void {
    const socket = this.#sockets[at] as Socket;
    if (!socket.connecting && socket.writable)
      send(socket, { say: SAYINGS[(this.#turn + at) % SAYINGS.length] });
  }

  end(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
  }
}

function send(socket: Socket, message: unknown): void {
  const body = Buffer.from(JSON.stringify(message));
  socket.write(Buffer.concat([Buffer.from([body.length >> 8, body.length & 255]), body]));
}

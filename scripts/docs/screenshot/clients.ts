/** Chat clients for the screenshot, with a varying rate. A client that loses its connection reconnects. */
import { connect, type Socket } from "node:net";

const NAMES = ["ada", "joe", "mike", "robert", "klacke"];
const SAYINGS = ["hello, mike", "hello, joe", "system working?", "seems to be"];
/** Milliseconds between two messages of the busy clients, and of the quiet one. */
const EVERY = 100;
const QUIET_EVERY = 900;
/** Period of the varying rate, in turns divided by 2π. */
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
    this.#timers.push(setInterval(() => this.#say(0), QUIET_EVERY));
  }

  /** Address of the quiet client, whose messages can be read in the trace. */
  get quietPeer(): string {
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

  /** Reconnects one busy client, perhaps to another worker. */
  reconnectOne(): void {
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

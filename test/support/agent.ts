/** A client of a protocol for tests of groups and names over several servers: it asks, and notes all that it hears. */
import { once } from "node:events";
import { connect } from "node:net";
import { FrameClient } from "./frames.js";
import { eventually } from "./until.js";

/** Milliseconds for an answer. */
const PATIENCE = 45_000;

/** Commands: JSON arrays, the first element is a number that comes back with the answer. */
export const AGENT_PROTOCOL = `
import { defineProtocol, genServer, groups, names, onDown, packet, start } from "drover";
const rooms = groups<string>("room");
const devices = names<any, any>("device");
const store = genServer({ name: "store", init: () => ({}) });
const ends = new Map();
const run = async (conn, [what, to, text]) => {
  switch (what) {
    case "join": return void rooms(to).join(conn);
    case "say": return void rooms(to).send(text);
    case "count": return rooms(to).count();
    case "claim": return (await Promise.all(to.map((name) => devices.claim(conn, name)))).map(({ previous }) => previous);
    case "store": {
      const pid = await start(store, undefined);
      ends.set(to, new Promise((resolve) => onDown(pid, resolve)));
      return (await devices.claim(pid, to)).previous;
    }
    case "end": return ends.get(to);
    case "where": return (await Promise.all(to.map((name) => devices.whereis(name)))).map((one) => one && String(one.pid));
    case "ask": return devices.ask(to, text, { within: "20s" }).catch((error) => error.code);
    case "who": return String(conn.pid);
  }
};
export default defineProtocol({
  name: "agent",
  framing: packet(2),
  takes: rooms,
  answers: devices,
  states: {
    ready: {
      frame: (conn, frame) => {
        const [id, ...command] = JSON.parse(String(frame));
        run(conn, command).then((answer) => conn.send(JSON.stringify({ id, answer })), (error) => conn.send(JSON.stringify({ id, answer: String(error) })));
      },
      message: (conn, text) => conn.send(JSON.stringify({ text })),
      request: (conn, request) => request.reply({ by: String(conn.pid), got: request.body }),
      replaced: (conn, name) => conn.send(JSON.stringify({ replaced: name })),
    },
  },
});
`;

export class Agent {
  /** Messages of groups, in the order in which they came. */
  readonly heard: string[] = [];
  /** Names that it has lost. */
  readonly replaced: string[] = [];
  readonly #client: FrameClient;
  readonly #answers = new Map<number, (answer: any) => void>();
  #last = 0;

  private constructor(client: FrameClient) {
    this.#client = client;
    void this.#read();
  }

  /** @param to path of a UNIX socket, or a port of this machine */
  static async connect(to: string | number): Promise<Agent> {
    const socket = typeof to === "string" ? connect({ path: to }) : connect({ port: to, host: "127.0.0.1" });
    await once(socket, "connect");
    return new Agent(new FrameClient(socket));
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.#client.receive().catch(() => undefined);
      if (!frame) return;
      const { id, answer, text, replaced } = JSON.parse(String(frame));
      if (text !== undefined) this.heard.push(text);
      else if (replaced !== undefined) this.replaced.push(replaced);
      else this.#answers.get(id)?.(answer);
    }
  }

  ask(...command: unknown[]): Promise<any> {
    const id = ++this.#last;
    this.#client.send(JSON.stringify([id, ...command]));
    return new Promise((resolve, reject) => {
      const late = () =>
        reject(new Error(`no answer within ${PATIENCE} ms: ${JSON.stringify(command).slice(0, 200)}`));
      const timer = setTimeout(late, PATIENCE);
      this.#answers.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  /** Waits until the group has so many members. @returns milliseconds that it took */
  async counts(group: string, members: number, within = PATIENCE): Promise<number> {
    const start = performance.now();
    let last: unknown;
    await eventually(async () => {
      last = await this.ask("count", group);
      return last === members;
    }, within).catch(() => {
      throw new Error(`${group} has ${last} members, not ${members}, after ${within} ms`);
    });
    return performance.now() - start;
  }

  /** Waits until it has heard the text. @returns milliseconds that it took */
  async hears(text: string, within = PATIENCE): Promise<number> {
    const start = performance.now();
    await eventually(() => this.heard.includes(text), within).catch(() => {
      throw new Error(`${JSON.stringify(text)} not heard within ${within} ms, but ${this.heard.slice(-5)}`);
    });
    return performance.now() - start;
  }

  end(): void {
    this.#client.end();
  }
}

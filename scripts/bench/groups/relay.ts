// What the exchange cannot cost less than: OS processes that read batches and write them on, over drover's transport, with
// no records, no tables and no NATS. As the exchange they write at the end of a turn of the event loop. One batch at a
// time wakes them for each; of four at a time several are read in one turn.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket as NetSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseTransport } from "../../../src/transport/choose-transport.js";
import type { Socket, SocketOwner } from "../../../src/transport/transport.js";
import { median } from "../compare/median.js";
import { cpuSecondsOfAll } from "../compare/process-usage.js";
import { BODY } from "./servers.js";

export const RELAY_ARGUMENT = "relay-process";
/** Bytes of a message of a group, as a record. */
const RECORD = BODY + 24;
/** Milliseconds until V8 has compiled what runs most. */
const WARM_UP = 5_000;

/** Collects what comes in a turn, and writes it to all at its end. */
class Relay implements SocketOwner {
  readonly #to: readonly { write(bytes: Buffer): unknown }[];
  #waiting: Buffer[] = [];

  constructor(to: readonly { write(bytes: Buffer): unknown }[]) {
    this.#to = to;
  }

  onChunk(chunk: Buffer): void {
    if (this.#waiting.push(chunk) === 1) setImmediate(() => this.#flush());
  }

  onBytes(shared: Buffer, length: number): void {
    this.onChunk(Buffer.from(shared.subarray(0, length)));
  }

  #flush(): void {
    const bytes = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting);
    this.#waiting = [];
    for (const one of this.#to) one.write(bytes);
  }

  onEnd(): void {}
  onWritten(): void {}
  onClosed(): void {}
}

/**
 * In a process of its own: listens on `path`.
 * @param to where it writes: a TCP port, the path of a UNIX socket, or `all` for those that are connected to it
 */
export async function runRelay(path: string, to: string): Promise<void> {
  const { transport } = await chooseTransport("auto");
  const connected: Socket[] = [];
  // The client of NATS is over `net.Socket`, and so is this way.
  const port = Number(to);
  const out = port > 0 ? connect(port, "127.0.0.1").setNoDelay() : undefined;
  if (out) await once(out, "connect");
  const relay = new Relay(out ? [out] : connected);
  const accept = (socket: Socket) => {
    connected.push(socket);
    socket.start(relay);
  };
  await transport.listen({ path }, { backlog: 8, onSocket: accept, onError: () => process.exit(1) });
  process.once("disconnect", () => process.exit());
  process.send?.("ready");
}

/** In a process of its own: listens on a TCP port, as the client of NATS reads, and writes to the UNIX socket `path`. */
export async function runReceiver(path: string): Promise<void> {
  const { transport } = await chooseTransport("auto");
  const out = await transport.connect({ path });
  out.start(new Relay([]));
  const relay = new Relay([out]);
  const server = createServer((socket) => socket.setNoDelay().on("data", (chunk) => relay.onChunk(chunk)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  process.once("disconnect", () => process.exit());
  process.send?.((server.address() as { readonly port: number }).port);
}

export interface RelayCost {
  readonly name: string;
  /** Batches at a time. */
  readonly lanes: number;
  /** CPU microseconds per message, of all relays. */
  readonly us: number;
}

/** @param entry this bundle */
export async function relayCosts(entry: string, rounds: number, ms: number): Promise<RelayCost[]> {
  const folder = mkdtempSync(join(tmpdir(), "bench-relay-"));
  const children: ChildProcess[] = [];
  const relay = async (...args: string[]) => {
    const child = fork(entry, [RELAY_ARGUMENT, ...args], { execArgv: [] });
    children.push(child);
    const [said] = (await once(child, "message")) as [unknown];
    return { osPid: child.pid as number, said };
  };
  const costs: RelayCost[] = [];
  try {
    const far = join(folder, "far");
    const server = createServer().listen(far);
    const arrived = once(server, "connection") as Promise<[NetSocket]>;
    const receiver = await relay("to", far);
    const sender = await relay(join(folder, "near"), `${receiver.said}`);
    const hub = await relay(join(folder, "hub"), "all");
    const [[from], into, one, two] = await Promise.all([
      arrived,
      opened(join(folder, "near")),
      opened(join(folder, "hub")),
      opened(join(folder, "hub")),
    ]);
    two.resume();
    const ways = [
      {
        name: "to another server, 64 a turn, two relays",
        osPids: [sender.osPid, receiver.osPid],
        into,
        from,
        batch: 64,
      },
      {
        name: "to a group in two workers, 8 a turn, one relay",
        osPids: [hub.osPid],
        into: one,
        from: one,
        batch: 8,
      },
    ];
    for (const { name, osPids, batch, ...ends } of ways) {
      const circuit = new Circuit(ends.into, ends.from, batch);
      await circuit.run(1, WARM_UP);
      for (const lanes of [1, 4]) {
        const cpu: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const before = cpuSecondsOfAll(osPids);
          const messages = await circuit.run(lanes, ms);
          cpu.push(((cpuSecondsOfAll(osPids) - before) / messages) * 1e6);
        }
        costs.push({ name, lanes, us: median(cpu) });
      }
    }
    for (const socket of [from, into, one, two]) socket.destroy();
    server.close();
    return costs;
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends the next batch when one has come back. */
class Circuit {
  readonly #into: NetSocket;
  readonly #batch: Buffer;
  #bytes = 0;
  #batches = 0;
  #open = 0;
  #until = 0;
  #done: () => void = () => {};

  constructor(into: NetSocket, from: NetSocket, messages: number) {
    this.#into = into;
    this.#batch = Buffer.alloc(messages * RECORD, "x");
    from.on("data", (chunk: Buffer) => {
      for (this.#bytes += chunk.length; this.#bytes >= this.#batch.length; this.#bytes -= this.#batch.length)
        this.#came();
    });
  }

  #came(): void {
    this.#batches++;
    if (performance.now() < this.#until) this.#into.write(this.#batch);
    else if (--this.#open === 0) this.#done();
  }

  /** @returns the number of messages that came back */
  async run(lanes: number, ms: number): Promise<number> {
    this.#batches = 0;
    this.#open = lanes;
    this.#until = performance.now() + ms;
    const done = new Promise<void>((resolve) => (this.#done = resolve));
    for (let lane = 0; lane < lanes; lane++) this.#into.write(this.#batch);
    await done;
    return this.#batches * (this.#batch.length / RECORD);
  }
}

async function opened(path: string): Promise<NetSocket> {
  const socket = connect(path);
  await once(socket, "connect");
  return socket;
}

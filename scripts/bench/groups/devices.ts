// Devices of the benchmark that moves them, in OS processes of their own: each claims a name over a connection. They use
// drover's transport, because `net.Socket` took more CPU than what is measured.
import { chooseTransport } from "../../../src/transport/choose-transport.js";
import type { Socket, SocketOwner, Transport } from "../../../src/transport/transport.js";
import { packetOf } from "./crowd.js";

/** Connections that one process opens at the same time: all of them fit into the backlog, which is 4,096. */
const AT_ONCE = 500;
/**
 * Addresses that one process connects to. The kernel tries ports one after the other until one is free between two
 * addresses: with 16,000 connections between two, that took more CPU than both servers.
 */
const ADDRESSES = 32;

export interface Move {
  readonly port: number;
  /** The first three bytes of the server's addresses. */
  readonly network: string;
}

/** What a process of devices has seen since the move began. */
export interface Moved {
  /** Milliseconds until the last claim was granted, and until the last older connection had ended. */
  readonly claimed: number;
  readonly replaced: number;
  /** Answers to the claims, and how many of each. */
  readonly previous: Readonly<Record<string, number>>;
}

/** In a process of its own: devices with the names from `first` on. */
export async function runDevices(first: number, count: number): Promise<void> {
  const { transport } = await chooseTransport("auto");
  let devices: Devices | undefined;
  process.on("message", async (to: Move | "lost") => {
    if (to === "lost") return process.send?.(devices?.lost ?? 0);
    const older = devices;
    older?.mayEnd();
    const began = performance.now();
    devices = new Devices(transport, to, first, count);
    const claimed = devices.claimed.then(() => performance.now() - began);
    const replaced = older?.ended.then(() => performance.now() - began);
    const moved = { claimed: await claimed, replaced: (await replaced) ?? 0, previous: devices.previous };
    process.send?.(moved satisfies Moved);
  });
  process.once("disconnect", () => process.exit());
  process.send?.("ready");
}

/** All devices of one process, at one server. */
class Devices {
  readonly previous: Record<string, number> = {};
  /** Ended, although no newer connection was about to claim the name. */
  lost = 0;
  readonly claimed: Promise<void>;
  readonly ended: Promise<void>;
  readonly #transport: Transport;
  readonly #to: Move;
  readonly #first: number;
  readonly #count: number;
  #next = 0;
  #answers = 0;
  #closed = 0;
  #mayEnd = false;
  #allClaimed: () => void = () => {};
  #allEnded: () => void = () => {};

  constructor(transport: Transport, to: Move, first: number, count: number) {
    this.#transport = transport;
    this.#to = to;
    this.#first = first;
    this.#count = count;
    this.claimed = new Promise((resolve) => (this.#allClaimed = resolve));
    this.ended = new Promise((resolve) => (this.#allEnded = resolve));
    for (let lane = 0; lane < AT_ONCE; lane++) void this.#open();
  }

  /** Newer connections claim the names from now on. */
  mayEnd(): void {
    this.#mayEnd = true;
  }

  async #open(): Promise<void> {
    const at = this.#next++;
    if (at >= this.#count) return;
    const { port, network } = this.#to;
    const socket = await this.#transport.connect({ address: `${network}.${1 + (at % ADDRESSES)}`, port });
    const device = new Device(socket, this);
    socket.start(device);
    socket.write(packetOf(`claim ${this.#first + at}`));
  }

  onAnswer(word: string): void {
    this.previous[word] = (this.previous[word] ?? 0) + 1;
    if (++this.#answers === this.#count) this.#allClaimed();
    void this.#open();
  }

  onClosed(): void {
    if (!this.#mayEnd) this.lost++;
    if (++this.#closed === this.#count) this.#allEnded();
  }
}

class Device implements SocketOwner {
  readonly #socket: Socket;
  readonly #devices: Devices;
  #answered = false;

  constructor(socket: Socket, devices: Devices) {
    this.#socket = socket;
    this.#devices = devices;
  }

  onChunk(chunk: Buffer): void {
    this.onBytes(chunk, chunk.length);
  }

  onBytes(shared: Buffer, length: number): void {
    this.#answer(shared.toString("latin1", 2, length));
  }

  onEnd(): void {
    this.#socket.end();
  }

  onWritten(): void {}

  onClosed(code: string | undefined): void {
    this.#answer(code ?? "closed");
    this.#devices.onClosed();
  }

  #answer(word: string): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#devices.onAnswer(word);
  }
}

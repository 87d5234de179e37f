/** Carrier in memory, for tests: loss, latency, partitions, and links that are down, on whatever clock is set. */

import type { Carrier, CarrierHandlers, CarrierStatus } from "../../../src/exchange/nodes/carrier.js";
import { clock } from "../../../src/otp/time/clock.js";

export class MemoryNetwork {
  readonly carriers = new Map<string, MemoryCarrier>();
  /** Probability that bytes are lost. */
  loss = 0;
  /** Longest latency in milliseconds; between two senders the order is by chance. */
  latency = 5;
  /** Part of the latency that is by chance; 0: all bytes take the same time. */
  jitter = 1;
  readonly random: () => number;

  constructor(random: () => number = Math.random) {
    this.random = random;
  }

  /** Whether one reaches the other: both are on the same side. */
  connected(a: MemoryCarrier, b: MemoryCarrier): boolean {
    return a.up && b.up && a.side === b.side;
  }
}

export class MemoryCarrier implements Carrier {
  maxBytes = 64 * 1024;
  readonly backlog = 0;
  /** Takes nothing while it is false. */
  taking = true;
  up = false;
  side = 0;
  inbox = "";
  readonly #network: MemoryNetwork;
  #handlers: CarrierHandlers | undefined = undefined;
  /** When the last bytes arrive, by inbox: none overtakes them. */
  readonly #arrives = new Map<string, number>();

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  get status(): CarrierStatus {
    return {
      name: "memory",
      up: this.up,
      server: this.up ? "memory" : undefined,
      roundTrip: 0.1,
      reconnects: 0,
    };
  }

  open(inbox: string, handlers: CarrierHandlers): void {
    this.inbox = inbox;
    this.#handlers = handlers;
    this.#network.carriers.set(inbox, this);
    this.setUp(true);
  }

  setUp(up: boolean): void {
    if (this.up === up || !this.#handlers) return;
    this.up = up;
    this.#handlers.onState(up ? "up" : "down", "test");
    if (up) this.#handlers.onWritable();
  }

  setTaking(taking: boolean): void {
    this.taking = taking;
    if (taking) this.#handlers?.onWritable();
  }

  send(inbox: string, bytes: Buffer): boolean {
    if (!this.up || !this.taking) return false;
    this.#deliver(inbox, bytes);
    return true;
  }

  probe(inbox: string, bytes: Buffer): boolean {
    if (!this.up) return false;
    if (this.#network.carriers.has(inbox)) this.#deliver(inbox, bytes);
    else clock.setTimeout(() => this.#handlers?.onNoResponder(inbox), 1, true);
    return true;
  }

  toAll(bytes: Buffer): boolean {
    if (!this.up) return false;
    for (const inbox of this.#network.carriers.keys()) this.#deliver(inbox, bytes);
    return true;
  }

  async close(): Promise<void> {
    clock.setTimeout(() => this.kill(), this.#network.latency + 1, true);
  }

  /** The OS process is gone. */
  kill(): void {
    this.#handlers = undefined;
    this.up = false;
    this.#network.carriers.delete(this.inbox);
  }

  #deliver(inbox: string, bytes: Buffer): void {
    const network = this.#network;
    if (network.random() < network.loss) return;
    const to = network.carriers.get(inbox);
    if (!to || !network.connected(this, to)) return;
    const copy = Buffer.from(bytes);
    const latency = network.latency * (1 - network.jitter * (1 - network.random()));
    const at = Math.max(clock.now() + latency, this.#arrives.get(inbox) ?? 0);
    this.#arrives.set(inbox, at);
    clock.setTimeout(
      () => network.connected(this, to) && to.#handlers?.onBytes(copy),
      at - clock.now(),
      true,
    );
  }

  /** Bytes of nobody. */
  forge(bytes: Buffer): void {
    this.#handlers?.onBytes(bytes);
  }
}

/**
 * One listener as the primary sees it: its configuration, its bound socket, whether it is suspended, and the balance of
 * its connections over the workers.
 */
import type { ListenerConfig } from "../../config/config.js";
import { addressText } from "../../text/address.js";
import type { BoundHandle } from "../../transport/listening-socket.js";
import type { Transport } from "../../transport/transport.js";
import type { Load } from "../channel/messages.js";
import { Balance, type Member } from "./admission/connections/balance.js";
import type { WorkerSlot } from "./workers/worker-slot.js";

export interface PrimaryListenerOptions {
  readonly config: ListenerConfig;
  /** Its place among the listeners, and in the snapshots. */
  readonly at: number;
  readonly bound: BoundHandle;
  readonly transport: Transport["name"];
  /** Name of its protocol. */
  readonly protocol: string;
}

/** What its balance needs to know. */
export interface BalancedWorkers {
  /** Slots in which the listener accepts. */
  accepting(listener: PrimaryListener): readonly WorkerSlot[];
  /** Its own limit over all workers at present: Infinity where it has none. */
  maxConnections(listener: PrimaryListener): number;
  /** Connections that the worker in this slot was allowed for it. */
  allowed(listener: PrimaryListener, slot: number): number;
}

export class PrimaryListener {
  readonly config: ListenerConfig;
  readonly at: number;
  readonly bound: BoundHandle;
  readonly transport: Transport["name"];
  readonly protocol: string;
  readonly balance: Balance;
  suspended = false;
  /** Connections that a worker may have at present by its own account, by slot. */
  readonly #limits = new Map<number, number>();
  readonly #workers: BalancedWorkers;

  constructor({ config, at, bound, transport, protocol }: PrimaryListenerOptions, workers: BalancedWorkers) {
    this.#workers = workers;
    this.config = config;
    this.at = at;
    this.bound = bound;
    this.transport = transport;
    this.protocol = protocol;
    this.balance = new Balance(
      () => workers.accepting(this).flatMap((slot) => this.#member(slot)),
      (slot) => Math.min(workers.allowed(this, slot), this.#limits.get(slot) ?? Infinity),
    );
  }

  get name(): string {
    return this.config.name;
  }

  /** Its own limit over all workers; `undefined`: only that of all listeners together. */
  get maxConnections(): number | undefined {
    const own = this.#workers.maxConnections(this);
    return own === Infinity ? undefined : own;
  }

  get addressText(): string {
    return addressText(this.bound.address, this.bound.port);
  }

  #member({ slot, process }: WorkerSlot): Member[] {
    if (!process) return [];
    return [
      {
        slot,
        askLoad: () => process.askLoad(this.name),
        setQuota: (quota) => process.setQuota(this.name, quota),
      },
    ];
  }

  /** A worker has reported its load. */
  reported(slot: number, { active, limit, ahead }: Load): void {
    this.#limits.set(slot, limit);
    this.balance.reported(slot, active, ahead);
  }

  /** A worker has sent a snapshot. @param toggled whether the listener has started or stopped to accept in it */
  seen(slot: number, active: number, limit: number, toggled: boolean): void {
    this.#limits.set(slot, limit);
    if (toggled) this.balance.changed();
    else this.balance.seen(slot, active);
  }

  /** A worker has changed its state. @param ended whether its OS process has ended */
  workerChanged(slot: number, ended: boolean): void {
    if (ended) this.#limits.delete(slot);
    this.balance.changed();
  }
}

/** The hub in this OS process: with one worker, and in `serve()`. */
import { type Pid, thisWorker } from "../otp/process/pid.js";
import { groupCounters } from "../tcp/observe/group-counters.js";
import type { Delivery } from "./delivery.js";
import { Hub, type HubPort, NONE, type PidPair } from "./hub.js";
import type { Message } from "./message.js";
import { DROP_ABOVE, type Uplink } from "./uplink.js";

export class LocalHub implements Uplink, HubPort<Message> {
  readonly #hub = new Hub<Message>();
  readonly #delivery: Delivery;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
    this.#hub.attach(this);
  }

  get worker(): number {
    return thisWorker();
  }

  get waiting(): number {
    return this.#delivery.waiting;
  }

  deliver(group: string, message: Message, [, except]: PidPair): void {
    this.#delivery.add(group, message, except);
  }

  joined(group: string, serial: number): void {
    this.#hub.join(this, group, serial);
  }

  left(group: string, serial: number): void {
    this.#hub.leave(this, group, serial);
  }

  publish(group: string, message: Message, except: Pid | undefined): void {
    if (this.waiting > DROP_ABOVE) groupCounters.dropped.link_full += this.#hub.count(group);
    else this.#hub.publish(group, message, except ? [except.worker, except.serial] : NONE);
  }

  async count(group: string): Promise<number> {
    return this.#hub.count(group);
  }

  async members(group: string): Promise<readonly PidPair[]> {
    return this.#hub.members(group);
  }
}

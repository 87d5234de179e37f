/** Limits on client addresses over all workers: answers what workers ask, and forgets what a dead one had. */
import { AddressLedger } from "../../../tcp/admission/address-ledger.js";
import { addressLimitsOf } from "../../../tcp/admission/options.js";
import type { AddressLimits } from "../../../tcp/admission/terms.js";
import type { AddressAnswer, AddressCalls } from "../../channel/messages.js";
import type { PrimaryOptions } from "../options.js";

export class Addresses {
  readonly ledger: AddressLedger;

  constructor({ config, listeners }: Pick<PrimaryOptions, "config" | "listeners">) {
    const limits = new Map<string, AddressLimits | undefined>([["", addressLimitsOf(config)]]);
    for (const { config: own } of listeners) limits.set(own.name, addressLimitsOf(own));
    this.ledger = new AddressLedger((scope) => limits.get(scope));
  }

  /** @param worker slot of the worker that asks */
  answer(worker: number, { take, give }: AddressCalls): AddressAnswer[] {
    for (const [listener, group] of give) this.ledger.give(worker, listener, group);
    return take.map(([id, listener, group]) => [id, this.ledger.take(worker, listener, group)]);
  }
}

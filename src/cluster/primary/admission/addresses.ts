/** Limits on client addresses over all workers: answers what workers ask, and forgets what a dead one had. */
import { AddressLedger } from "../../../tcp/admission/address-ledger.js";
import type { AddressAnswer, AddressCalls } from "../../channel/messages.js";
import type { PresentLimits } from "./limits/present-limits.js";

export class Addresses {
  readonly ledger: AddressLedger;

  constructor(limits: Pick<PresentLimits, "addresses">) {
    this.ledger = new AddressLedger((scope) => limits.addresses(scope));
  }

  /** @param worker slot of the worker that asks */
  answer(worker: number, { take, give, over, held }: AddressCalls): AddressAnswer[] {
    if (held) this.ledger.recount(worker, held);
    for (const [listener, group] of give) this.ledger.give(worker, listener, group);
    for (const [listener, group] of over) this.ledger.hold(worker, listener, group, 1);
    return take.map(([id, listener, group]) => [id, this.ledger.take(worker, listener, group)]);
  }
}

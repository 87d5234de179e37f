/** Authority over addresses where one OS process accepts all clients: the ledger itself. */
import { AddressLedger } from "./address-ledger.js";
import type { AddressAuthority, AddressLimits, AddressRefusal } from "./terms.js";

/** Holder of all connections. */
const HERE = 0;

export class LocalAuthority implements AddressAuthority {
  readonly #ledger: AddressLedger;

  /** @param limits of the listener */
  constructor(limits: AddressLimits) {
    this.#ledger = new AddressLedger((scope) => (scope === "" ? undefined : limits));
  }

  take(listener: string, group: string, done: (refusal: AddressRefusal | undefined) => void): void {
    done(this.#ledger.take(HERE, listener, group));
  }

  give(listener: string, group: string): void {
    this.#ledger.give(HERE, listener, group);
  }
}

/**
 * Gate of a listener: admits or refuses a client by its address, before a connection is started for it. A listener
 * without terms has no gate.
 *
 *   accepted ──▶ allow, deny ──▶ verdict of the last second ──▶ authority (connections, rate, bans) ──▶ admitted
 *                   └────────────────────┴────────────────────────────────┴──▶ refused: closed at once, and counted
 */
import { clock } from "../../otp/time/clock.js";
import { isUnixPeer } from "../../proxy/trusted-networks.js";
import { addressGroup } from "../../text/address-group.js";
import type { AddressBan, AddressRefusal, AddressRefuseReason, GateTerms } from "./terms.js";

/** Milliseconds for which a verdict is kept, at most: so soon a ban that was lifted is lifted everywhere. */
const MAX_VERDICT = 1_000;
const MAX_VERDICTS = 10_000;

/** @param group to be passed to `holds`, or to `giveBack`; `undefined` where addresses have no limits */
export type Admit = (refused: AddressRefuseReason | undefined, group: string | undefined) => void;

export class Gate {
  readonly #listener: string;
  #terms: GateTerms;
  /** Refusals that hold for a while, by group. */
  readonly #verdicts = new Map<string, { readonly reason: AddressRefuseReason; readonly until: number }>();
  /** Groups of open connections. */
  readonly #groups = new WeakMap<object, string>();
  /** What waits for the authority and is not pending: connections behind a PROXY header, sockets without a place. */
  readonly #waiting = new WeakSet<object>();
  /** Groups that an operator has banned, and until when. */
  #bans: ReadonlyMap<string, number> = new Map();
  #pending = 0;

  constructor(listener: string, terms: GateTerms) {
    this.#listener = listener;
    this.#terms = terms;
  }

  /** Whether it admits everybody at present. */
  get idle(): boolean {
    const { allow, deny, authority } = this.#terms;
    return allow === undefined && deny === undefined && authority === undefined && this.#bans.size === 0;
  }

  /** Replaces the terms; they apply to the next client. */
  setTerms(terms: GateTerms): void {
    this.#terms = terms;
    this.#verdicts.clear();
  }

  /** Replaces the bans, of which the authority knows as well. */
  setBans(bans: readonly AddressBan[]): void {
    const now = clock.now();
    this.#bans = new Map(bans.map(({ address, ms }) => [address, now + ms]));
    this.#verdicts.clear();
  }

  /** Clients without a connection, each with a place, that wait for the authority. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * @param address as `socket.peer` has it, without a port: the path of a UNIX socket; empty when it was lost
   * @param done called once, perhaps at once
   * @param connection where there is one by now; or its socket, where it has no place: both are not pending
   */
  enter(address: string, done: Admit, connection?: object): void {
    const { allow, deny, authority } = this.#terms;
    // Reset while it waited in the backlog: its connection ends at once.
    if (address === "") return done(undefined, undefined);
    if (allow?.trusts(address) === false || deny?.trusts(address) === true) return done("denied", undefined);
    if (isUnixPeer(address)) return done(undefined, undefined);
    const group = addressGroup(address);
    if (this.#isBanned(group)) return done("banned", undefined);
    if (authority === undefined) return done(undefined, undefined);
    const known = this.#verdict(group);
    if (known !== undefined) return done(known, undefined);
    if (connection) this.#waiting.add(connection);
    else this.#pending++;
    authority.take(this.#listener, group, (refusal) => {
      if (connection) this.#waiting.delete(connection);
      else this.#pending--;
      if (refusal === undefined) return done(undefined, group);
      this.#keep(group, refusal);
      done(refusal.reason, undefined);
    });
  }

  /** The admitted client has this connection. */
  holds(connection: object, group: string | undefined): void {
    if (group !== undefined) this.#groups.set(connection, group);
  }

  /**
   * Counts a connection from now on, if it was admitted when addresses had no limits.
   * @returns its group, unless it has none or still waits to be admitted
   */
  adopt(connection: object, address: string): string | undefined {
    const known = this.#groups.get(connection);
    if (known !== undefined || address === "" || isUnixPeer(address) || this.#waiting.has(connection))
      return known;
    const group = addressGroup(address);
    this.#groups.set(connection, group);
    return group;
  }

  /** A connection has ended. */
  left(connection: object): void {
    const group = this.#groups.get(connection);
    // Without limits on addresses every connection of a worker comes here.
    if (group === undefined) return;
    this.#groups.delete(connection);
    this.giveBack(group);
  }

  /** The admitted client has no connection. */
  giveBack(group: string | undefined): void {
    if (group === undefined) return;
    if (this.#verdicts.get(group)?.reason === "address_connections") this.#verdicts.delete(group);
    this.#terms.authority?.give(this.#listener, group);
  }

  #isBanned(group: string): boolean {
    const until = this.#bans.get(group);
    return until !== undefined && until > clock.now();
  }

  #verdict(group: string): AddressRefuseReason | undefined {
    const verdict = this.#verdicts.get(group);
    if (verdict === undefined || verdict.until > clock.now()) return verdict?.reason;
    this.#verdicts.delete(group);
    return undefined;
  }

  #keep(group: string, { reason, ms }: AddressRefusal): void {
    if (this.#verdicts.size >= MAX_VERDICTS) this.#verdicts.clear();
    if (ms > 0) this.#verdicts.set(group, { reason, until: clock.now() + Math.min(ms, MAX_VERDICT) });
  }
}

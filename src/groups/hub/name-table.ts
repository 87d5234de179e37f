/**
 * Table of names in the hub: which process holds which name. The newest claim wins: the holder is told, and the claim is
 * granted when it has let go, or after 1 s, as its worker may be blocked. Pure but for the clock.
 *
 *   claim ─┬─ free ─────────────────────────────────────▶ granted, previous none
 *          └─ held ─▶ holder is told ─┬─ it lets go ────▶ granted, previous ended
 *                                     └─ 1 s ───────────▶ granted, previous unknown
 *
 * Where the holder is a process of another server, the claim is published with its token before it is granted: that
 * server tells its holder. Each server ends its own holder whose token is lower than one that it hears of, so that of two
 * claims on both sides of a partition the higher stays.
 */
import { clock } from "../../otp/time/clock.js";
import { NameGrants } from "./name-grants.js";
import { type Claim, type Contest, type Holder, type NamePort, NameRow } from "./name-row.js";
import { type NamePeer, type PeerName, PeerNames, type ToldName } from "./peer-names.js";
import { TokenClock } from "./token-clock.js";

/** What may wait for one claim. */
const MAX_AFTER_GRANT = 100;

export interface NameTableOptions<N extends NamePeer> {
  readonly tokens?: TokenClock | undefined;
  /** Milliseconds that a claim waits for the holder. */
  readonly takeOver?: number | undefined;
  /** Name of this server, which decides between equal tokens. */
  readonly node?: string | undefined;
  readonly peers?: PeerNames<N>;
  /** What other servers must know of a name has changed. */
  readonly onChanged?: ((name: string) => void) | undefined;
  /** Two processes replace each other again and again; once a minute for each name. */
  readonly onContested?: ((contest: Contest) => void) | undefined;
}

export class NameTable<P extends NamePort, N extends NamePeer = NamePeer> {
  readonly #rows = new Map<string, NameRow<P>>();
  readonly #tokens: TokenClock;
  readonly #changed: (name: string) => void;
  readonly #grants: NameGrants<P, N>;
  /** Names held on other servers. */
  readonly peers: PeerNames<N>;

  constructor({ tokens, takeOver, node = "", peers, onChanged, onContested }: NameTableOptions<N> = {}) {
    this.#tokens = tokens ?? new TokenClock();
    this.peers = peers ?? new PeerNames();
    this.#changed = onChanged ?? (() => {});
    this.#grants = new NameGrants({
      ...{ peers: this.peers, tokens: this.#tokens, takeOver, node, changed: this.#changed },
      ...{ contested: onContested, drop: (name: string, row: NameRow<P>) => this.#drop(name, row) },
    });
  }

  /** Names that have a row here or on another server; one that has both counts twice while its older holder ends. */
  get size(): number {
    return this.#rows.size + this.peers.size;
  }

  /** Holders that were told to let go. */
  get replaced(): number {
    return this.#grants.replaced;
  }

  /** Holders that were told to let go of a name that another server had granted as well. */
  get conflicts(): number {
    return this.#grants.conflicts;
  }

  get contested(): number {
    return this.#grants.history.contested;
  }

  /** The process of this server that holds a name. */
  holder(name: string): Holder<P> | undefined {
    return this.#rows.get(name)?.holder;
  }

  /** The process of another server that holds a name, where its claim is newer than the one of the holder here. */
  peerHolder(name: string): PeerName<N> | undefined {
    const peer = this.peers.newest(name);
    const holder = peer && this.holder(name);
    return holder && !this.#grants.isNewer(peer, holder.token) ? undefined : peer;
  }

  /** What other servers are told of a name; `undefined`: no process of this server holds it. */
  own(name: string): ToldName | undefined {
    const row = this.#rows.get(name);
    const one = row?.pending ?? row?.holder;
    if (!one) return undefined;
    return { token: one.token, worker: one.port.worker, serial: one.serial, pending: one === row?.pending };
  }

  /** Names that processes of this server hold or are about to. */
  ownNames(): Iterable<string> {
    return this.#rows.keys();
  }

  /** All names, in no order; one that has rows here and on another server comes once. */
  all(): Iterable<string> {
    return this.peers.size === 0 ? this.#rows.keys() : new Set([...this.#rows.keys(), ...this.peers.names()]);
  }

  // -- claims of processes of this server -----------------------------------------------------------------

  /** @param refuse whether the claim is refused where the name is held */
  claim(port: P, id: number, name: string, serial: number, refuse: boolean): void {
    const row = this.#row(name);
    const { holder, pending, waiting } = row;
    if (holder?.port === port && holder.serial === serial)
      return port.claimed(id, { token: holder.token, previous: "none" });
    const known = holder !== undefined || pending !== undefined || waiting.length > 0;
    const free = !known && this.peers.newest(name) === undefined;
    if (!free && refuse) {
      port.claimed(id, { refused: "taken" });
      return this.#drop(name, row);
    }
    const claim = { port, serial, id };
    if (free) return this.#grants.grant(name, row, claim, "none");
    if (waiting.length > 0) return void waiting.push(claim);
    // The empty list may be the one of the prototype.
    row.waiting = [claim];
    if (!pending) this.#grants.replace(name, row);
  }

  /** The process has let the name go, or has ended. Also of a claim that waits. */
  release(port: P, name: string, serial: number): void {
    const row = this.#rows.get(name);
    if (!row) return;
    this.#remove(name, row, (one) => one.port === port && one.serial === serial);
    this.#drop(name, row);
  }

  /** A worker has connected again, and had this name before. The higher token stays. */
  restore(port: P, name: string, serial: number, token: number): void {
    this.#tokens.restore(token);
    const row = this.#row(name);
    const { holder, pending } = row;
    if ((holder ?? pending ?? { token: 0 }).token > token) return port.replace(name, serial);
    if (holder) holder.port.replace(name, holder.serial);
    // Its token is lower: it waits for this holder now.
    if (pending) row.waiting = [pending, ...row.waiting];
    row.pending = undefined;
    this.#grants.hold(row, { port, serial, token });
    this.#changed(name);
    this.#grants.afterHold(name, row);
  }

  /** The worker has gone. Looks at all rows, 10 ms for 100,000: a list of each worker would take 26 bytes for each name. */
  detach(port: P): void {
    const its = (one: Claim<P> | Holder<P> | undefined) => one?.port === port;
    for (const [name, row] of this.#rows) {
      if (!its(row.holder) && !its(row.pending) && !row.waiting.some(its)) continue;
      this.#remove(name, row, its);
      this.#drop(name, row);
    }
  }

  /** Whether a claim waits for the holder on another server. */
  pends(name: string): boolean {
    return this.#rows.get(name)?.pending !== undefined;
  }

  /** Whether a claim waits for a holder that was told to let go, here or on another server. */
  changesHands(name: string): boolean {
    const row = this.#rows.get(name);
    return row !== undefined && (row.pending !== undefined || (row.told && row.waiting.length > 0));
  }

  /**
   * Calls back when the claim that waits is granted, or has ended.
   * @returns whether there is one and not too much waits for it
   */
  afterGrant(name: string, callback: () => void): boolean {
    const row = this.#rows.get(name);
    if (!row || !this.changesHands(name) || (row.afterGrant?.length ?? 0) >= MAX_AFTER_GRANT) return false;
    (row.afterGrant ??= []).push(callback);
    return true;
  }

  // -- rows of other servers ------------------------------------------------------------------------------

  /**
   * What another server says of a name. A holder here with a lower token is told to let go.
   * @param why no row any more: the process has `ended`, or the server is gone and it is `unknown`
   */
  setPeer(peer: N, name: string, value: ToldName | undefined, why: "ended" | "unknown" = "ended"): void {
    if (value) this.#tokens.observe(value.token);
    if (!this.peers.set(peer, name, value)) return;
    const row = this.#rows.get(name);
    if (row) this.#grants.compare(name, row, why, value?.pending === false);
  }

  // -- rows -----------------------------------------------------------------------------------------------

  #row(name: string): NameRow<P> {
    let row = this.#rows.get(name);
    if (row) return row;
    row = new NameRow();
    this.#rows.set(name, row);
    return row;
  }

  /** Removes claims and the holder, where they are these, and lets the next claim follow. */
  #remove(name: string, row: NameRow<P>, is: (one: Claim<P> | Holder<P>) => boolean): void {
    const kept = row.waiting.filter((one) => !is(one));
    if (kept.length < row.waiting.length) row.waiting = kept;
    if (row.pending && is(row.pending)) {
      row.pending = undefined;
      this.#changed(name);
      this.#grants.next(name, row, "ended");
      this.#grants.runAfterGrant(row);
    }
    if (row.holder && is(row.holder)) {
      row.holder = undefined;
      row.told = false;
      this.#changed(name);
      this.#grants.next(name, row, "ended");
      this.#grants.runAfterGrant(row);
    }
  }

  #drop(name: string, row: NameRow<P>): void {
    if (row.holder || row.pending || row.waiting.length > 0) return;
    clock.clearTimeout(row.timer);
    this.#rows.delete(name);
  }
}

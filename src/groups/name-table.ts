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
import { clock } from "../otp/time/clock.js";
import {
  type Claim,
  type Contest,
  type Granted,
  type Holder,
  type NamePort,
  NameRow,
  type Pending,
} from "./name-row.js";
import { isNewer, type NamePeer, type NameValue, type PeerName, PeerNames } from "./peer-names.js";
import { ReplacementHistory } from "./replacement-history.js";
import { TokenClock } from "./token-clock.js";

/** What may wait for one pending claim. */
const MAX_AFTER_GRANT = 100;

let defaultTakeOver = 1_000;

/** Sets how long a claim waits for the holder in milliseconds (`--take-over`). Default 1 s. */
export function setTakeOver(ms: number): void {
  defaultTakeOver = ms;
}

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
  readonly #takeOver: number | undefined;
  readonly #node: string;
  readonly #changed: (name: string) => void;
  readonly #contested: ((contest: Contest) => void) | undefined;
  readonly #history = new ReplacementHistory();
  /** Names held on other servers. */
  readonly peers: PeerNames<N>;
  replaced = 0;

  constructor({ tokens, takeOver, node = "", peers, onChanged, onContested }: NameTableOptions<N> = {}) {
    this.#tokens = tokens ?? new TokenClock();
    this.#takeOver = takeOver;
    this.#node = node;
    this.peers = peers ?? new PeerNames();
    this.#changed = onChanged ?? (() => {});
    this.#contested = onContested;
  }

  /** Names that have a row here or on another server; one that has both counts twice while its older holder ends. */
  get size(): number {
    return this.#rows.size + this.peers.size;
  }

  get contested(): number {
    return this.#history.contested;
  }

  /** The process of this server that holds a name. */
  holder(name: string): Holder<P> | undefined {
    return this.#rows.get(name)?.holder;
  }

  /** The process of another server that holds a name, where its claim is newer than the one of the holder here. */
  peerHolder(name: string): PeerName<N> | undefined {
    const peer = this.peers.newest(name);
    const holder = peer && this.holder(name);
    return holder && !this.#isNewer(peer, holder.token) ? undefined : peer;
  }

  /** What other servers are told of a name; `undefined`: no process of this server holds it. */
  own(name: string): NameValue | undefined {
    const row = this.#rows.get(name);
    const one = row?.pending ?? row?.holder;
    return one && { token: one.token, worker: one.port.worker, serial: one.serial };
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
    if (free) return this.#grant(name, row, claim, "none");
    if (waiting.length > 0) return void waiting.push(claim);
    // The empty list may be the one of the prototype.
    row.waiting = [claim];
    if (!pending) this.#replace(name, row);
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
    this.#hold(row, { port, serial, token });
    this.#changed(name);
    this.#compare(name, row);
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

  /**
   * Calls back when a claim that waits for another server is granted, or has ended.
   * @returns whether there is one and not too much waits for it
   */
  afterGrant(name: string, callback: () => void): boolean {
    const row = this.#rows.get(name);
    if (!row?.pending || (row.afterGrant?.length ?? 0) >= MAX_AFTER_GRANT) return false;
    (row.afterGrant ??= []).push(callback);
    return true;
  }

  // -- rows of other servers ------------------------------------------------------------------------------

  /**
   * What another server says of a name. A holder here with a lower token is told to let go.
   * @param why no row any more: the process has `ended`, or the server is gone and it is `unknown`
   */
  setPeer(peer: N, name: string, value: NameValue | undefined, why: "ended" | "unknown" = "ended"): void {
    if (value) this.#tokens.observe(value.token);
    if (!this.peers.set(peer, name, value)) return;
    const row = this.#rows.get(name);
    if (row) this.#compare(name, row, why);
  }

  #compare(name: string, row: NameRow<P>, why: "ended" | "unknown" = "ended"): void {
    const { holder, pending, waiting } = row;
    const peer = this.peers.newest(name);
    if (holder && peer && !row.told && this.#isNewer(peer, holder.token)) {
      this.#history.record(name, false);
      this.#tellHolder(name, row, holder);
    } else if (pending && !this.peers.hasOlder(name, pending.token, this.#node))
      this.#grantPending(name, row, pending, why);
    else if (!holder && !pending && !peer && waiting.length > 0) this.#next(name, row, why);
  }

  #isNewer(peer: PeerName<N>, token: number): boolean {
    return isNewer(peer.token, peer.peer.node, token, this.#node);
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
      this.#next(name, row, "ended");
      this.#runAfterGrant(row);
    }
    if (row.holder && is(row.holder)) {
      row.holder = undefined;
      this.#changed(name);
      this.#next(name, row, "ended");
    }
  }

  #drop(name: string, row: NameRow<P>): void {
    if (row.holder || row.pending || row.waiting.length > 0) return;
    clock.clearTimeout(row.timer);
    this.#rows.delete(name);
  }

  // -- grants ---------------------------------------------------------------------------------------------

  #grant(name: string, row: NameRow<P>, { port, serial, id }: Claim<P>, previous: Granted["previous"]): void {
    const token = this.#tokens.next(row.token);
    this.#hold(row, { port, serial, token });
    this.#changed(name);
    port.claimed(id, { token, previous });
    if (row.waiting.length > 0) this.#replace(name, row);
  }

  #hold(row: NameRow<P>, holder: Holder<P>): void {
    clock.clearTimeout(row.timer);
    row.holder = holder;
    row.told = false;
    row.token = Math.max(row.token, holder.token);
  }

  #next(name: string, row: NameRow<P>, previous: Granted["previous"]): void {
    if (row.waiting.length === 0) return;
    clock.clearTimeout(row.timer);
    if (this.peers.newest(name)) return this.#announce(name, row);
    this.#grant(name, row, row.waiting.shift() as Claim<P>, previous);
  }

  /** Publishes the oldest claim: the servers whose processes hold the name tell them. */
  #announce(name: string, row: NameRow<P>): void {
    const token = this.#tokens.next(Math.max(row.token, this.peers.newest(name)?.token ?? 0));
    const pending = { ...(row.waiting.shift() as Claim<P>), token };
    row.pending = pending;
    this.#changed(name);
    const late = () => {
      if (row.pending === pending) this.#grantPending(name, row, pending, "unknown");
    };
    row.timer = clock.setTimeout(late, this.#takeOver ?? defaultTakeOver, true);
  }

  #grantPending(
    name: string,
    row: NameRow<P>,
    { port, serial, id, token }: Pending<P>,
    previous: Granted["previous"],
  ) {
    row.pending = undefined;
    this.#hold(row, { port, serial, token });
    port.claimed(id, { token, previous });
    this.#runAfterGrant(row);
    // A claim that is newer still has been made elsewhere meanwhile.
    this.#compare(name, row);
    if (row.holder && !row.told && row.waiting.length > 0) this.#replace(name, row);
  }

  #runAfterGrant(row: NameRow<P>): void {
    const callbacks = row.afterGrant;
    row.afterGrant = undefined;
    for (const callback of callbacks ?? []) callback();
  }

  /** Tells the holder that a claim waits; where two clients replace each other again and again, after a while. */
  #replace(name: string, row: NameRow<P>): void {
    const wait = this.#history.record(name);
    clock.clearTimeout(row.timer);
    if (wait === 0) return this.#tell(name, row);
    row.timer = clock.setTimeout(() => this.#tell(name, row), wait, true);
    this.#reportContest(name, row);
  }

  /** Both are alive now: the claim waits, so their addresses can be found. */
  #reportContest(name: string, { holder, waiting: [claim] }: NameRow<P>): void {
    if (!this.#contested || !holder || !claim || !this.#history.isNews(name)) return;
    const pair = ({ port, serial }: Claim<P> | Holder<P>) => [port.worker, serial] as const;
    this.#contested({ name, holder: pair(holder), claimant: pair(claim) });
  }

  #tell(name: string, row: NameRow<P>): void {
    const { holder } = row;
    // It has ended meanwhile, or the claim has.
    if (row.waiting.length === 0) return;
    if (!holder) return this.#next(name, row, "ended");
    row.timer = clock.setTimeout(
      () => this.#takeFrom(name, row, holder),
      this.#takeOver ?? defaultTakeOver,
      true,
    );
    if (!row.told) this.#tellHolder(name, row, holder);
  }

  #tellHolder(name: string, row: NameRow<P>, { port, serial }: Holder<P>): void {
    row.told = true;
    this.replaced++;
    port.replace(name, serial);
  }

  /** The holder does not answer: its worker is blocked, and is told when it runs again. */
  #takeFrom(name: string, row: NameRow<P>, holder: Holder<P>): void {
    if (row.holder !== holder) return;
    row.holder = undefined;
    this.#changed(name);
    this.#next(name, row, "unknown");
    this.#drop(name, row);
  }
}

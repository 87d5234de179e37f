/**
 * Grants of names: which claim follows which holder, and when. Each step begins where a claim has come, a holder has let
 * go or does not answer, or another server tells of its own. Pure but for the clock.
 */
import { clock } from "../../otp/time/clock.js";
import type { PidPair } from "./hub.js";
import type { Claim, Contest, Granted, Holder, NamePort, NameRow, Pending } from "./name-row.js";
import { isNewer, type NamePeer, type PeerName, type PeerNames } from "./peer-names.js";
import { ReplacementHistory } from "./replacement-history.js";
import type { TokenClock } from "./token-clock.js";

let defaultTakeOver = 1_000;

/** Sets how long a claim waits for the holder in milliseconds (`--take-over`). Default 1 s. */
export function setTakeOver(ms: number): void {
  defaultTakeOver = ms;
}

export interface NameGrantsParts<P extends NamePort, N extends NamePeer> {
  readonly peers: PeerNames<N>;
  readonly tokens: TokenClock;
  /** Milliseconds that a claim waits for the holder. */
  readonly takeOver: number | undefined;
  /** Name of this server, which decides between equal tokens. */
  readonly node: string;
  /** What other servers must know of a name has changed. */
  changed(name: string): void;
  /** Two processes replace each other again and again; once a minute for each name. */
  readonly contested: ((contest: Contest) => void) | undefined;
  /** A row may say nothing any more. */
  drop(name: string, row: NameRow<P>): void;
}

const pairOf = ({ port, serial }: Omit<Claim<NamePort>, "id">): PidPair => [port.worker, serial];

export class NameGrants<P extends NamePort, N extends NamePeer> {
  readonly history = new ReplacementHistory();
  /** Holders that were told to let go. */
  replaced = 0;
  /** Of those: holders of a name that another server had granted as well, as on both sides of a partition. */
  conflicts = 0;
  readonly #peers: PeerNames<N>;
  readonly #tokens: TokenClock;
  readonly #takeOver: number | undefined;
  readonly #node: string;
  readonly #changed: (name: string) => void;
  readonly #contested: ((contest: Contest) => void) | undefined;
  readonly #drop: (name: string, row: NameRow<P>) => void;

  constructor({ peers, tokens, takeOver, node, changed, contested, drop }: NameGrantsParts<P, N>) {
    this.#peers = peers;
    this.#tokens = tokens;
    this.#takeOver = takeOver;
    this.#node = node;
    this.#changed = changed;
    this.#contested = contested;
    this.#drop = drop;
  }

  /**
   * A row beside what other servers say of its name: its holder may have to let go, or a claim may go on.
   * @param granted whether another server says that it has granted the name
   */
  compare(name: string, row: NameRow<P>, why: "ended" | "unknown" = "ended", granted = false): void {
    const { holder, pending, waiting } = row;
    const peer = this.#peers.newest(name);
    if (holder && peer && !row.told && this.isNewer(peer, holder.token)) {
      this.history.record(name, false);
      if (granted) this.conflicts++;
      if (waiting.length > 0) this.#tell(name, row);
      else this.#tellHolder(name, row, holder);
    } else if (pending && !this.#peers.hasOlder(name, pending.token, this.#node))
      this.#grantPending(name, row, pending, why);
    else if (!holder && !pending && !peer && waiting.length > 0) this.next(name, row, why);
  }

  isNewer(peer: PeerName<N>, token: number): boolean {
    return isNewer(peer.token, peer.peer.node, token, this.#node);
  }

  // -- grants ---------------------------------------------------------------------------------------------

  grant(name: string, row: NameRow<P>, claim: Claim<P>, previous: Granted["previous"]): void {
    const { port, serial } = claim;
    const token = this.#tokens.next(row.token);
    this.hold(row, { port, serial, token });
    this.#changed(name);
    answer(row, claim, { token, previous });
    this.runAfterGrant(row);
    if (row.waiting.length > 0) this.replace(name, row);
  }

  hold(row: NameRow<P>, holder: Holder<P>): void {
    clock.clearTimeout(row.timer);
    row.holder = holder;
    row.told = false;
    row.token = Math.max(row.token, holder.token);
  }

  next(name: string, row: NameRow<P>, previous: Granted["previous"]): void {
    if (row.waiting.length === 0) return;
    clock.clearTimeout(row.timer);
    if (this.#peers.newest(name)) return this.#announce(name, row);
    this.grant(name, row, row.waiting.shift() as Claim<P>, previous);
  }

  /** Publishes the oldest claim: the servers whose processes hold the name tell them. */
  #announce(name: string, row: NameRow<P>): void {
    const token = this.#tokens.next(Math.max(row.token, this.#peers.newest(name)?.token ?? 0));
    const pending = { ...(row.waiting.shift() as Claim<P>), token };
    row.pending = pending;
    this.#changed(name);
    const late = () => {
      if (row.pending === pending) this.#grantPending(name, row, pending, "unknown");
    };
    row.timer = clock.setTimeout(late, this.#takeOver ?? defaultTakeOver, true);
  }

  #grantPending(name: string, row: NameRow<P>, claim: Pending<P>, previous: Granted["previous"]) {
    const { port, serial, token } = claim;
    row.pending = undefined;
    this.hold(row, { port, serial, token });
    answer(row, claim, { token, previous });
    this.afterHold(name, row);
  }

  /** The row has a holder while other claims of its name may be under way, here or on other servers. */
  afterHold(name: string, row: NameRow<P>): void {
    this.runAfterGrant(row);
    // A claim that is newer still has been made elsewhere meanwhile.
    this.compare(name, row);
    if (row.holder && !row.told && row.waiting.length > 0) this.replace(name, row);
  }

  runAfterGrant(row: NameRow<P>): void {
    const callbacks = row.afterGrant;
    row.afterGrant = undefined;
    for (const callback of callbacks ?? []) callback();
  }

  /** Tells the holder that a claim waits; where two clients replace each other again and again, after a while. */
  replace(name: string, row: NameRow<P>): void {
    const wait = this.history.record(name);
    clock.clearTimeout(row.timer);
    if (wait === 0) return this.#tell(name, row);
    row.timer = clock.setTimeout(() => this.#tell(name, row), wait, true);
    this.#reportContest(name, row);
  }

  /** Both are alive now: the claim waits, so their addresses can be found. */
  #reportContest(name: string, { holder, waiting: [claim] }: NameRow<P>): void {
    const held = holder ? pairOf(holder) : this.#peerHolder(name);
    if (!this.#contested || !held || !claim || !this.history.isNews(name)) return;
    this.#contested({ name, holder: held, claimant: pairOf(claim) });
  }

  #peerHolder(name: string): PidPair | undefined {
    const peer = this.#peers.newest(name);
    return peer && [peer.worker, peer.serial, peer.peer.node];
  }

  #tell(name: string, row: NameRow<P>): void {
    const { holder } = row;
    // It has ended meanwhile, or the claim has.
    if (row.waiting.length === 0) return;
    if (!holder) return this.next(name, row, "ended");
    clock.clearTimeout(row.timer);
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
    row.told = false;
    this.#changed(name);
    this.next(name, row, "unknown");
    this.runAfterGrant(row);
    this.#drop(name, row);
  }
}

/** Answers a claim, and those behind it that the same process has made while it waited: it would be replaced by itself. */
function answer<P extends NamePort>(row: NameRow<P>, { port, serial, id }: Claim<P>, granted: Granted): void {
  port.claimed(id, granted);
  for (let next = row.waiting[0]; next?.port === port && next.serial === serial; next = row.waiting[0]) {
    row.waiting.shift();
    port.claimed(next.id, granted);
  }
}

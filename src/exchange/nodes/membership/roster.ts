/** Roster: the other servers of the cluster, by name and by inbox. They come, start anew, are lost, and are stopped. */
import { clock } from "../../../otp/time/clock.js";
import type { CarrierEvent } from "../carrier.js";
import { Peer } from "../peer/peer.js";
import type { Hello } from "../peer/peer-records.js";
import type { StreamOwner } from "../peer/peer-stream.js";
import { RoundTrip } from "../peer/round-trip.js";
import type { RowTable } from "../rows/row-table.js";
import type { Announcements } from "./announcements.js";

/** Milliseconds without a part of the rows after which they are asked for again. */
const WANT_AGAIN = 1_000;
/** Milliseconds since it was heard in which a server is alive: two heartbeats, and one that was late. */
const LIVES = 1_500;
/** Other servers: each sends to each. */
const MAX_PEERS = 31;

export interface RosterOwner extends StreamOwner {
  /** It answers nothing that it was asked. */
  onGone(peer: Peer, why: string): void;
  event(level: CarrierEvent["level"], event: string, text: string): void;
}

export class Roster {
  /** Servers that were found gone. */
  lost = 0;
  /** Times that all rows of a server were asked for again. */
  resyncs = 0;
  readonly #tables: ReadonlyMap<number, RowTable>;
  readonly #self: Announcements;
  readonly #owner: RosterOwner;
  readonly #peers = new Map<string, Peer>();
  readonly #incarnations = new Map<string, Peer>();
  #tooMany = false;

  constructor(tables: ReadonlyMap<number, RowTable>, self: Announcements, owner: RosterOwner) {
    this.#tables = tables;
    this.#self = self;
    this.#owner = owner;
  }

  /** All other servers, also those that are down. */
  get all(): Iterable<Peer> {
    return this.#peers.values();
  }

  get live(): Peer[] {
    return [...this.all].filter(({ state }) => state !== "down");
  }

  named(node: string): Peer | undefined {
    return this.#peers.get(node);
  }

  find(incarnation: string): Peer | undefined {
    return this.#incarnations.get(incarnation);
  }

  // -- they come ------------------------------------------------------------------------------------------

  /** A server says what it is. @returns it, unless it is not accepted */
  met(node: string, incarnation: string, hello: Hello): Peer | undefined {
    const peer = this.#peers.get(node);
    if (peer?.incarnation === incarnation) return peer;
    if (!peer) return this.#add(node, incarnation, hello);
    if (!this.#follows(peer, hello)) return undefined;
    this.#incarnations.delete(peer.incarnation);
    this.#incarnations.set(incarnation, peer);
    this.#owner.onGone(peer, `the server ${node} has started anew`);
    peer.renew(incarnation, hello);
    this.welcome(peer);
    return peer;
  }

  /** Whether an incarnation takes the place of one that is known, which may be gone or a second server of the name. */
  #follows(peer: Peer, hello: Hello): boolean {
    if (peer.state === "down") return true;
    if (hello.startedAt === peer.hello.startedAt) return hello.since >= peer.hello.since;
    // The two decide which one stays; until then it is the one that is there.
    const answers = peer.unansweredAt === undefined && clock.now() - peer.heardAt < LIVES;
    return hello.startedAt > peer.hello.startedAt && !answers;
  }

  #add(node: string, incarnation: string, hello: Hello): Peer | undefined {
    if (this.#peers.size >= MAX_PEERS) this.#forgetOne();
    if (this.#peers.size >= MAX_PEERS) {
      const text = `the server ${node} is left out: a cluster has ${MAX_PEERS + 1} servers at most`;
      if (!this.#tooMany) this.#owner.event("error", "too_many_nodes", text);
      this.#tooMany = true;
      return undefined;
    }
    const peer = new Peer(node, incarnation, hello, this.#tables, this.#owner);
    this.#peers.set(node, peer);
    this.#incarnations.set(incarnation, peer);
    this.welcome(peer);
    return peer;
  }

  /** Makes room: one that is gone is only shown. Where host names change with each start there are many of them. */
  #forgetOne(): void {
    const [oldest] = [...this.all]
      .filter(({ state }) => state === "down")
      .sort((one, other) => one.since - other.since);
    if (oldest) this.forget(oldest);
  }

  /** Says who we are, and asks for its rows. */
  welcome(peer: Peer): void {
    peer.become("joining");
    peer.since = peer.heardAt = clock.now();
    this.#self.helloTo(peer.stream);
    peer.want();
  }

  needRows(peer: Peer): void {
    const now = clock.now();
    if (peer.rows.progress !== peer.progress) {
      peer.progress = peer.rows.progress;
      peer.wantedAt = now;
    }
    if (now - peer.wantedAt < WANT_AGAIN) return;
    this.resyncs++;
    peer.want();
  }

  rowsComplete(peer: Peer): void {
    if (peer.state !== "joining" || !peer.rows.complete) return;
    peer.hasOldRows = false;
    peer.become("up");
    this.#owner.event("info", "node_up", `the server ${peer.node} is up`);
  }

  // -- they go --------------------------------------------------------------------------------------------

  /** @param why for people */
  lose(peer: Peer, why: string): void {
    this.lost++;
    peer.become("down");
    this.#clear(peer, "lost");
    this.#owner.event("warn", "node_down", `the server ${peer.node} is down: ${why}`);
  }

  left(peer: Peer): void {
    this.#clear(peer, "ended");
    this.forget(peer);
    this.#owner.event("info", "node_left", `the server ${peer.node} was stopped`);
  }

  /** This server goes on alone. */
  clear(): void {
    for (const peer of this.#peers.values()) {
      this.#clear(peer, "lost");
      this.forget(peer);
    }
  }

  #clear(peer: Peer, why: "ended" | "lost"): void {
    peer.sender = undefined;
    peer.roundTrip = new RoundTrip();
    peer.stream.clear();
    peer.rows.drop(why);
    this.#owner.onGone(peer, `the server ${peer.node} is down`);
  }

  forget(peer: Peer): void {
    this.#peers.delete(peer.node);
    this.#incarnations.delete(peer.incarnation);
  }
}

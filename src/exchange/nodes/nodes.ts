/**
 * Nodes: the servers of a cluster, each with its exchange. Each tells the others its own rows: how many members its groups
 * have, and which names its processes hold. What is sent to a group goes to the servers that have members of it.
 *
 *   hub, names ─▶ changed ─▶ rows ──────┐                     ┌─▶ Incoming ─▶ hub, names
 *   Peer.publish, request ─▶ PeerStream ┴─▶ Carrier ─▶ inbox ─┘
 *
 * A server is gone when its inbox has no listener, or when it is silent for `nodeTimeout`. Under a partition each side goes
 * on with the servers that it reaches.
 */
import { randomBytes } from "node:crypto";
import type { Hub, PidPair } from "../../groups/hub.js";
import type { NameHub } from "../../groups/name-hub.js";
import { MAX_AHEAD_MS, type TokenClock } from "../../groups/token-clock.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { RecordWriter } from "../records.js";
import type { Carrier, CarrierEvent } from "./carrier.js";
import { Incoming, type IncomingOwner } from "./incoming.js";
import { MemberQueries } from "./member-queries.js";
import { Peer } from "./peer.js";
import { HEADER, type Hello, PEER_KIND, type PeerHeader, writeHeader } from "./peer-records.js";
import type { StreamDrop, StreamOwner } from "./peer-stream.js";
import type { RowTable } from "./row-table.js";
import { RowsSender } from "./rows-sender.js";

/** Milliseconds between two heartbeats. */
const HEARTBEAT = 500;
/** Milliseconds that our own link must be up before another server can be found gone: it may be connecting, too. */
const LINK_AGE = 2_000;
/** Milliseconds between two findings that an inbox has no listener: an exchange that is started anew needs 300. */
const UNANSWERED = 400;
/** Milliseconds in which a new incarnation of a server must have sent its rows; until then the old ones stay. */
const RENEWAL = 5_000;
/** Milliseconds without a part of the rows after which they are asked for again. */
const WANT_AGAIN = 1_000;
/** Milliseconds after which a refused server looks whether the other one of its name is gone. */
const REFUSED_AGAIN = 10_000;
/** Milliseconds since it was heard in which a server is alive: two heartbeats, and one that was late. */
const LIVES = 1_500;
/** Milliseconds that a lost server is shown. */
const FORGET = 60 * 60_000;
/** Other servers: each sends to each. */
export const MAX_PEERS = 31;

export interface NodesConfig {
  /** Name of this server, and when it was started: of two with one name the older one stays. */
  readonly node: string;
  readonly startedAt: number;
  /** Milliseconds. */
  readonly nodeTimeout: number;
}

export interface NodesParts {
  readonly carrier: Carrier;
  readonly hub: Hub<Buffer>;
  readonly names: NameHub<Buffer>;
  readonly tokens: TokenClock;
  readonly tables: readonly RowTable[];
  /** A message for a process of this server; valid only during the call. */
  onSignal(worker: number, serial: number, message: Buffer): void;
  onEvent(event: CarrierEvent): void;
  /** Another server of this name is older. */
  onRefused(text: string): void;
  /** Calls back at the end of the turn. Default `setImmediate`. */
  defer?(callback: () => void): void;
  /** Inbox: 16 hexadecimal digits. Default at random. */
  readonly incarnation?: string;
}

export class Nodes implements StreamOwner, IncomingOwner {
  readonly incarnation: string;
  readonly carrier: Carrier;
  readonly hub: Hub<Buffer>;
  readonly names: NameHub<Buffer>;
  readonly queries = new MemberQueries();
  readonly incoming: Incoming = new Incoming(this);
  readonly dropped: Record<StreamDrop, number> = { outbox: 0, too_large: 0 };
  /** Servers that were found gone. */
  lost = 0;
  /** Times that all rows of a server were asked for again. */
  resyncs = 0;
  readonly #config: NodesConfig;
  readonly #parts: NodesParts;
  readonly #hello: Hello;
  readonly #tables: ReadonlyMap<number, RowTable>;
  readonly #peers = new Map<string, Peer>();
  readonly #incarnations = new Map<string, Peer>();
  /** Rows that the others have not been told. */
  readonly #changed = new Map<RowTable, Set<string>>();
  #tableVersion = 0;
  #flushing = false;
  /** When our own link was up, or our own event loop ran again; `undefined`: it is not up. */
  #upAt: number | undefined = undefined;
  /** When our own link was up. What waited for it leaves when the other server is heard again: it was away, too. */
  #linkedAt = -Infinity;
  #beatAt = clock.now();
  #timer: TimerRef = undefined;
  #refusedAt: number | undefined = undefined;
  #closed = false;
  #tooMany = false;

  constructor(config: NodesConfig, parts: NodesParts) {
    this.#config = config;
    this.#parts = parts;
    this.carrier = parts.carrier;
    this.hub = parts.hub;
    this.names = parts.names;
    this.incarnation = parts.incarnation ?? randomBytes(8).toString("hex");
    this.#hello = { startedAt: config.startedAt, since: parts.tokens.wall };
    this.#tables = new Map(parts.tables.map((table) => [table.kind, table]));
  }

  /** Rejects as the carrier does: only when it can never be up. */
  async open(): Promise<void> {
    this.#timer = clock.setTimeout(() => this.#beat(), HEARTBEAT, true);
    await this.carrier.open(this.incarnation, {
      onBytes: (bytes) => this.#closed || this.incoming.receive(bytes),
      onState: (state) => this.#linkIs(state),
      onNoResponder: (inbox) => this.#unanswered(inbox),
      onWritable: () => this.flush(),
      onEvent: (event) => this.#parts.onEvent(event),
    });
  }

  /** Says goodbye: the others need not wait until this server is silent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clock.clearTimeout(this.#timer);
    this.#sendAll((writer) => writer.add(PEER_KIND.bye, "", 0));
    await this.carrier.close();
  }

  /** Name of this server. */
  get node(): string {
    return this.#config.node;
  }

  /** All other servers, also those that are down. */
  get peers(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  /** The server of this name, while it is up. */
  peer(node: string): Peer | undefined {
    const peer = this.#peers.get(node);
    return peer?.state === "down" ? undefined : peer;
  }

  /** Members of a group on all servers that answer. */
  async members(group: string): Promise<PidPair[]> {
    const peers = this.peers.filter(({ state }) => state !== "down");
    const with_ = peers.filter((peer) => this.hub.peers.countAt(peer, group) > 0);
    return [...this.hub.members(group), ...(await this.queries.ask(with_, group))];
  }

  // -- what the others are told ---------------------------------------------------------------------------

  /** A row of this server has changed. */
  changed(kind: number, name: string): void {
    const table = this.#tables.get(kind) as RowTable;
    const names = this.#changed.get(table);
    if (names) names.add(name);
    else this.#changed.set(table, new Set([name]));
    this.flushSoon();
  }

  header(sequence: number): PeerHeader {
    const { tokens } = this.#parts;
    const times = { wall: Math.floor(tokens.wall), token: Math.floor(tokens.present) };
    return { incarnation: this.incarnation, sequence, tableVersion: this.#tableVersion, ...times };
  }

  flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    (this.#parts.defer ?? setImmediate)(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#closed) return;
    this.#tellChanges();
    for (const peer of this.#peers.values()) {
      if (peer.state === "down") continue;
      this.#tellRows(peer);
      peer.stream.flush(peer.heardAt >= this.#linkedAt);
      this.#tellRows(peer);
    }
  }

  #tellChanges(): void {
    const live = this.peers.filter(({ state }) => state !== "down");
    for (const [table, names] of this.#changed) {
      for (const name of names) {
        const body = table.body(name);
        for (const peer of live) peer.row(table.kind, name, body);
        this.#tableVersion++;
      }
      names.clear();
    }
  }

  #tellRows(peer: Peer): void {
    peer.sender?.go(this.carrier.maxBytes);
    if (peer.sender?.done) peer.sender = undefined;
  }

  onDropped(reason: StreamDrop, messages: number): void {
    this.dropped[reason] += messages;
  }

  #writeHello(writer: RecordWriter): void {
    const text = JSON.stringify(this.#hello);
    const at = writer.add(PEER_KIND.hello, this.#config.node, Buffer.byteLength(text));
    writer.buffer.write(text, at);
  }

  /** @param write adds records */
  #bytes(write: (writer: RecordWriter) => void): Buffer {
    const writer = new RecordWriter();
    writeHeader(writer.buffer, writer.skip(HEADER), this.header(0));
    write(writer);
    return writer.take();
  }

  #sendAll(write: (writer: RecordWriter) => void): void {
    this.carrier.toAll(this.#bytes(write));
  }

  // -- heartbeat ------------------------------------------------------------------------------------------

  #beat(): void {
    this.#timer = clock.setTimeout(() => this.#beat(), HEARTBEAT, true);
    const now = clock.now();
    // This OS process stood still, so that what the others said has not been read yet.
    if (now - this.#beatAt > 3 * HEARTBEAT && this.#upAt !== undefined) this.#upAt = now;
    this.#beatAt = now;
    if (this.#refusedAt !== undefined && now - this.#refusedAt < REFUSED_AGAIN) return;
    this.#refusedAt = undefined;
    if (this.#upAt !== undefined) this.#sendAll((writer) => this.#writeHello(writer));
    for (const peer of this.#peers.values()) this.#check(peer, now);
    this.flush();
  }

  #check(peer: Peer, now: number): void {
    if (peer.state === "down") {
      if (now - peer.since > FORGET) this.#forget(peer);
      return;
    }
    const silent = now - peer.heardAt > this.#config.nodeTimeout;
    if (silent && (this.#upAt === undefined || now - this.#upAt >= LINK_AGE))
      return this.#lose(peer, "silent");
    if (peer.hasOldRows && now - peer.since > RENEWAL) {
      peer.hasOldRows = false;
      peer.rows.forget("lost");
    }
    if (!peer.rows.complete) this.needRows(peer);
    const waits = peer.heardAt < this.#linkedAt && peer.stream.waiting > 0;
    if (this.#upAt !== undefined && !waits) peer.stream.probe((writer) => this.#writeHello(writer));
  }

  #linkIs(state: "up" | "down"): void {
    if (this.#closed) return;
    this.#upAt = state === "up" ? clock.now() : undefined;
    if (state === "up") this.#linkedAt = clock.now();
    for (const peer of this.#peers.values()) peer.unansweredAt = undefined;
    if (state === "down") return;
    if (this.#refusedAt === undefined) this.#sendAll((writer) => this.#writeHello(writer));
    this.flush();
  }

  #unanswered(inbox: string): void {
    const peer = this.#incarnations.get(inbox);
    const now = clock.now();
    // The other server may be connecting, as this one was just before.
    if (!peer || peer.state === "down" || this.#upAt === undefined || now - this.#upAt < LINK_AGE) return;
    if (peer.unansweredAt === undefined) {
      peer.unansweredAt = now;
      clock.setTimeout(() => this.#probeAgain(peer), UNANSWERED, true);
    } else if (now - peer.unansweredAt >= UNANSWERED) this.#lose(peer, "gone");
  }

  #probeAgain(peer: Peer): void {
    if (this.#closed || peer.unansweredAt === undefined || peer.state === "down") return;
    peer.stream.probe((writer) => this.#writeHello(writer));
  }

  // -- servers come and go --------------------------------------------------------------------------------

  find(incarnation: string): Peer | undefined {
    return this.#incarnations.get(incarnation);
  }

  met(node: string, incarnation: string, hello: Hello): Peer | undefined {
    const peer = this.#peers.get(node);
    if (peer?.incarnation === incarnation) return peer;
    if (node === this.#config.node) return this.#sameName(incarnation, hello);
    if (!peer) return this.#add(node, incarnation, hello);
    if (!this.#follows(peer, hello)) return undefined;
    this.#incarnations.delete(peer.incarnation);
    this.#incarnations.set(incarnation, peer);
    this.names.failAsks(peer, `the server ${node} has started anew`);
    this.queries.lost(peer);
    peer.renew(incarnation, hello);
    this.#welcome(peer);
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
    if (this.#peers.size >= MAX_PEERS) {
      if (!this.#tooMany)
        this.#event(
          "error",
          "too_many_nodes",
          `the server ${node} is left out: a cluster has ${MAX_PEERS + 1} servers at most`,
        );
      this.#tooMany = true;
      return undefined;
    }
    const peer = new Peer(node, incarnation, hello, this.#tables, this);
    this.#peers.set(node, peer);
    this.#incarnations.set(incarnation, peer);
    this.#welcome(peer);
    return peer;
  }

  /** Says who we are, and asks for its rows. */
  #welcome(peer: Peer): void {
    peer.become("joining");
    peer.since = peer.heardAt = clock.now();
    const length = Buffer.byteLength(JSON.stringify(this.#hello));
    if (peer.stream.room(Buffer.byteLength(this.#config.node), length)) this.#writeHello(peer.stream.writer);
    peer.want();
  }

  heard(peer: Peer, { wall, token }: PeerHeader): void {
    if (peer.heardAt < this.#linkedAt) this.flushSoon();
    peer.heardAt = clock.now();
    peer.unansweredAt = undefined;
    if (peer.state === "down") {
      peer.rows.reset();
      this.#welcome(peer);
    }
    const { tokens } = this.#parts;
    tokens.observe(token);
    const ahead = tokens.aheadBy(wall);
    const wrong = Math.abs(ahead) > MAX_AHEAD_MS;
    if (wrong && !peer.clockReported) this.#reportClock(peer, ahead);
    peer.clockReported = wrong;
  }

  #reportClock({ node }: Peer, ahead: number): void {
    const by = `${Math.round(Math.abs(ahead) / 1_000)} s ${ahead > 0 ? "ahead of" : "behind"}`;
    this.#event(
      "error",
      "clock",
      `the clock of the server ${node} is ${by} ours: newer claims of names may lose; set both by NTP`,
    );
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
    this.#event("info", "node_up", `the server ${peer.node} is up`);
  }

  wanted(peer: Peer, id: number): void {
    // Changes before this are in the rows.
    this.#tellChanges();
    peer.sender = new RowsSender(id, [...this.#tables.values()], peer.stream);
    this.flushSoon();
  }

  #lose(peer: Peer, why: "silent" | "gone"): void {
    this.lost++;
    peer.become("down");
    this.#clear(peer, "lost");
    const text =
      why === "gone" ? "its exchange is gone" : `it was silent for ${this.#config.nodeTimeout / 1_000} s`;
    this.#event("warn", "node_down", `the server ${peer.node} is down: ${text}`);
  }

  left(peer: Peer): void {
    this.#clear(peer, "ended");
    this.#forget(peer);
    this.#event("info", "node_left", `the server ${peer.node} was stopped`);
  }

  #clear(peer: Peer, why: "ended" | "lost"): void {
    peer.sender = undefined;
    peer.stream.clear();
    peer.rows.drop(why);
    this.names.failAsks(peer, `the server ${peer.node} is down`);
    this.queries.lost(peer);
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer.node);
    this.#incarnations.delete(peer.incarnation);
  }

  // -- two servers of one name ----------------------------------------------------------------------------

  #sameName(incarnation: string, hello: Hello): undefined {
    // An incarnation of this server that is gone: its exchange was started anew.
    if (hello.startedAt === this.#hello.startedAt) return;
    if (hello.startedAt < this.#hello.startedAt) return this.refused(this.#config.node, hello);
    const text = JSON.stringify(this.#hello);
    const write = (writer: RecordWriter) => {
      const at = writer.add(PEER_KIND.refuse, this.#config.node, Buffer.byteLength(text));
      writer.buffer.write(text, at);
    };
    this.carrier.send(incarnation, this.#bytes(write));
  }

  refused(node: string, hello: Hello): undefined {
    if (
      node !== this.#config.node ||
      hello.startedAt >= this.#hello.startedAt ||
      this.#refusedAt !== undefined
    )
      return;
    this.#refusedAt = clock.now();
    for (const peer of this.#peers.values()) {
      this.#clear(peer, "lost");
      this.#forget(peer);
    }
    this.#parts.onRefused(
      `the cluster has a server named ${node} already, started ${new Date(hello.startedAt).toISOString()}: set another --node`,
    );
  }

  // -- from the others ------------------------------------------------------------------------------------

  onSignal(worker: number, serial: number, message: Buffer): void {
    this.#parts.onSignal(worker, serial, message);
  }

  replyMembers(peer: Peer, id: number, group: string): void {
    peer.reply(id, this.hub.members(group), this.carrier.maxBytes);
  }

  #event(level: CarrierEvent["level"], event: string, text: string): void {
    this.#parts.onEvent({ level, event, text });
  }
}

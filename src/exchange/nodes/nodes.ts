/**
 * Nodes: the servers of a cluster, each with its exchange. Each tells the others its own rows: how many members its groups
 * have, and which names its processes hold. What is sent to a group goes to the servers that have members of it.
 *
 *   hub, names ─▶ changed ─▶ rows ──────┐                     ┌─▶ Incoming ─▶ hub, names
 *    Peer.pass, request ─▶ PeerStream ─┴─▶ Carrier ─▶ inbox ─┘
 *
 * Roster: who is there. FailureDetector: who is gone. Under a partition each side goes on with the servers it reaches.
 */
import { randomBytes } from "node:crypto";
import type { Hub, PidPair } from "../../groups/hub/hub.js";
import type { NameHub } from "../../groups/hub/name-hub.js";
import { MAX_AHEAD_MS, type TokenClock } from "../../groups/hub/token-clock.js";
import { clock } from "../../otp/time/clock.js";
import type { Carrier, CarrierEvent } from "./carrier.js";
import { ConflictReports } from "./conflict-reports.js";
import { Incoming, type IncomingOwner } from "./incoming.js";
import { MemberQueries } from "./member-queries.js";
import { Announcements } from "./membership/announcements.js";
import { FailureDetector } from "./membership/failure-detector.js";
import { Roster, type RosterOwner } from "./membership/roster.js";
import { SameName } from "./membership/same-name.js";
import type { Peer } from "./peer/peer.js";
import type { Hello, PeerHeader } from "./peer/peer-records.js";
import type { StreamDrop } from "./peer/peer-stream.js";
import type { RowTable } from "./rows/row-table.js";
import { RowsSender } from "./rows/rows-sender.js";

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
  /** So many messages of a group for its members here, as records of a link; valid only during the call. */
  onMessages(group: string, records: Buffer, messages: number): void;
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

export class Nodes implements RosterOwner, IncomingOwner {
  readonly incarnation: string;
  readonly carrier: Carrier;
  readonly hub: Hub<Buffer>;
  readonly names: NameHub<Buffer>;
  readonly queries = new MemberQueries();
  readonly incoming: Incoming = new Incoming(this);
  readonly dropped: Record<StreamDrop, number> = { outbox: 0, too_large: 0 };
  readonly #config: NodesConfig;
  readonly #parts: NodesParts;
  readonly #tables: ReadonlyMap<number, RowTable>;
  readonly #self: Announcements;
  readonly #sameName: SameName;
  readonly #roster: Roster;
  readonly #detector: FailureDetector;
  readonly #conflicts = new ConflictReports((text) => this.event("warn", "name_conflicts", text));
  /** Rows that the others have not been told. */
  readonly #changed: ReadonlyMap<number, Set<string>>;
  #tableVersion = 0;
  #flushing = false;
  #closed = false;

  constructor(config: NodesConfig, parts: NodesParts) {
    const { carrier, hub, names, tokens } = parts;
    this.#config = config;
    this.#parts = parts;
    this.carrier = carrier;
    this.hub = hub;
    this.names = names;
    this.incarnation = parts.incarnation ?? randomBytes(8).toString("hex");
    this.#tables = new Map(parts.tables.map((table) => [table.kind, table]));
    this.#changed = new Map(parts.tables.map((table) => [table.kind, new Set()]));
    const hello = { startedAt: config.startedAt, since: tokens.wall };
    const self = new Announcements(config.node, hello, carrier, (sequence) => this.header(sequence));
    this.#self = self;
    this.#sameName = new SameName(self, (text) => parts.onRefused(text));
    this.#roster = new Roster(this.#tables, self, this);
    this.#detector = new FailureDetector({
      ...{ roster: this.#roster, self, sameName: this.#sameName, nodeTimeout: config.nodeTimeout },
      flush: () => this.flush(),
    });
  }

  /** Rejects as the carrier does: only when it can never be up. */
  async open(): Promise<void> {
    this.#detector.start();
    await this.carrier.open(this.incarnation, {
      onBytes: (bytes) => this.#closed || this.incoming.receive(bytes),
      onState: (state) => this.#detector.linkIs(state),
      onNoResponder: (inbox) => this.#detector.unanswered(inbox),
      onWritable: () => this.flush(),
      onEvent: (event) => this.#parts.onEvent(event),
    });
  }

  /** Says goodbye: the others need not wait until this server is silent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#detector.stop();
    this.#self.byeToAll();
    await this.carrier.close();
  }

  /** Name of this server. */
  get node(): string {
    return this.#config.node;
  }

  /** Servers that were found gone. */
  get lost(): number {
    return this.#roster.lost;
  }

  /** Times that all rows of a server were asked for again. */
  get resyncs(): number {
    return this.#roster.resyncs;
  }

  /** All other servers, also those that are down. */
  get peers(): readonly Peer[] {
    return [...this.#roster.all];
  }

  /** Whether the rows of all other servers that can be reached are known. */
  get settled(): boolean {
    return this.#detector.settled && this.#roster.live.every(({ state }) => state === "up");
  }

  /** The server of this name, while it is up. */
  peer(node: string): Peer | undefined {
    const peer = this.#roster.named(node);
    return peer?.state === "down" ? undefined : peer;
  }

  /** Members of a group on all servers that answer. */
  async members(group: string): Promise<PidPair[]> {
    const with_ = this.#roster.live.filter((peer) => this.hub.peers.countAt(peer, group) > 0);
    return [...this.hub.members(group), ...(await this.queries.ask(with_, group))];
  }

  // -- what the others are told ---------------------------------------------------------------------------

  /** A row of this server has changed. */
  changed(kind: number, name: string): void {
    this.#changed.get(kind)?.add(name);
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
    for (const peer of this.#roster.live) {
      this.#tellRows(peer);
      peer.stream.flush(this.#detector.hears(peer));
      this.#tellRows(peer);
    }
  }

  #tellChanges(): void {
    const { live } = this.#roster;
    for (const [kind, names] of this.#changed) {
      if (names.size === 0) continue;
      const table = this.#tables.get(kind) as RowTable;
      for (const name of names) {
        const body = table.body(name);
        for (const peer of live) peer.row(kind, name, body);
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

  // -- what the others send -------------------------------------------------------------------------------

  find(incarnation: string): Peer | undefined {
    return this.#roster.find(incarnation);
  }

  met(node: string, incarnation: string, hello: Hello): Peer | undefined {
    if (node !== this.node) return this.#roster.met(node, incarnation, hello);
    if (this.#sameName.met(incarnation, hello)) this.refused(node, hello);
    return undefined;
  }

  refused(node: string, hello: Hello): void {
    if (!this.#sameName.refuse(node, hello)) return;
    this.#roster.clear();
    this.#sameName.report(hello);
  }

  heard(peer: Peer, { wall, token }: PeerHeader): void {
    if (!this.#detector.hears(peer)) this.flushSoon();
    peer.heardAt = clock.now();
    peer.unansweredAt = undefined;
    if (peer.state === "down") {
      peer.rows.reset();
      this.#roster.welcome(peer);
    }
    const { tokens } = this.#parts;
    tokens.observe(token);
    const ahead = tokens.aheadBy(wall);
    peer.clockAhead = ahead;
    const wrong = Math.abs(ahead) > MAX_AHEAD_MS;
    if (wrong && !peer.clockReported) this.#reportClock(peer, ahead);
    peer.clockReported = wrong;
  }

  #reportClock({ node }: Peer, ahead: number): void {
    const by = `${Math.round(Math.abs(ahead) / 1_000)} s ${ahead > 0 ? "ahead of" : "behind"}`;
    this.event(
      "error",
      "clock",
      `the clock of the server ${node} is ${by} ours: newer claims of names may lose; set both by NTP`,
    );
  }

  needRows(peer: Peer): void {
    this.#roster.needRows(peer);
  }

  rowsComplete(peer: Peer): void {
    this.#roster.rowsComplete(peer);
  }

  wanted(peer: Peer, id: number): void {
    // Changes before this are in the rows.
    this.#tellChanges();
    peer.sender = new RowsSender(id, [...this.#tables.values()], peer.stream);
    this.flushSoon();
  }

  left(peer: Peer): void {
    this.#roster.left(peer);
  }

  conflicted({ node }: Peer, names: number): void {
    this.#conflicts.add(node, names);
  }

  onGone(peer: Peer, why: string): void {
    this.names.failAsks(peer, why);
    this.queries.lost(peer);
  }

  onMessages(group: string, records: Buffer, messages: number): void {
    this.#parts.onMessages(group, records, messages);
  }

  onSignal(worker: number, serial: number, message: Buffer): void {
    this.#parts.onSignal(worker, serial, message);
  }

  replyMembers(peer: Peer, id: number, group: string): void {
    peer.reply(id, this.hub.members(group), this.carrier.maxBytes);
  }

  event(level: CarrierEvent["level"], event: string, text: string): void {
    this.#parts.onEvent({ level, event, text });
  }
}

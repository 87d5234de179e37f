/**
 * Exchange: the OS process through which all workers of a server send to groups and to each other's processes. It holds
 * the tables of the hub, has one link to each worker, and runs no user code.
 *
 *   worker 1 ──┐
 *   worker 2 ──┼── UNIX socket, one each ── hub: one order for all members of a group
 *   worker n ──┘
 */
import { rmSync } from "node:fs";
import { Hub } from "../groups/hub/hub.js";
import { NameHub } from "../groups/hub/name-hub.js";
import type { Contest } from "../groups/hub/name-row.js";
import type { PresenceRow } from "../groups/hub/presence-table.js";
import { TokenClock } from "../groups/hub/token-clock.js";
import { clock } from "../otp/time/clock.js";
import type { Listening, Transport } from "../transport/transport.js";
import { EarlyClaims } from "./early-claims.js";
import type { Nodes } from "./nodes/nodes.js";
import { type NodesNumbers, nodesNumbers } from "./nodes/numbers.js";
import { PEER_KIND } from "./nodes/peer/peer-records.js";
import { presenceName } from "./nodes/rows/presence-rows.js";
import { Port, type PortOwner } from "./port.js";
import { RecordHandler } from "./record-handler.js";
import { readHello } from "./records/connect-records.js";
import { MalformedRecord } from "./records/malformed-record.js";
import { KIND, type LinkRecord } from "./records/records.js";

/** Workers that connect at the same moment. */
const BACKLOG = 511;

const copyOf = (message: Buffer): Buffer => Buffer.from(message);

/** Milliseconds that messages wait after a start for the rows of workers that were running before. */
const GATHER = 1_000;

/** The tables and ways that other servers need. */
export interface ExchangeParts {
  readonly hub: Hub<Buffer>;
  readonly names: NameHub<Buffer>;
  readonly tokens: TokenClock;
  /** As that of `names`, but what is asked before the rows of other servers are known waits for them. */
  readonly ask: NameHub<Buffer>["ask"];
  onMessages(group: string, records: Buffer, messages: number): void;
  onSignal(worker: number, serial: number, message: Buffer): void;
}

export interface ExchangeOptions {
  /** Path of the UNIX socket; its folder belongs to this user alone. */
  readonly path: string;
  readonly transport: Transport;
  /** Workers that are running already: what is sent waits until all of them have connected. */
  readonly workers: number;
  /** Milliseconds that a claim waits for the holder. */
  readonly takeOver?: number;
  /** Name of this server, and what makes its nodes: where there are other servers. */
  readonly node?: string;
  nodes?(parts: ExchangeParts): Nodes;
  /** Two processes of this server replace each other in a name. */
  onContested?(contest: Contest): void;
  /** Other servers can never be reached. */
  onFailed?(why: string): void;
  /** Called when a link has closed. @param left number of links */
  onLinkClosed?(left: number): void;
}

/** What the exchange counts, and has now. */
export interface ExchangeNumbers {
  readonly links: number;
  readonly groups: number;
  readonly memberships: number;
  readonly names: number;
  /** Holders that were told to let a name go. */
  readonly replaced: number;
  /** Of those: holders of a name that another server had granted as well. */
  readonly conflicts: number;
  /** Claims that waited because two clients replace each other. */
  readonly contested: number;
  /** Bytes that wait for each worker. */
  readonly waiting: readonly (readonly [worker: number, bytes: number])[];
  readonly published: number;
  /** Deliveries that were dropped because a worker does not read. */
  readonly linkFull: number;
  /** Deliveries that waited for a worker when its link closed. */
  readonly workerDown: number;
  /** Messages to processes of workers that are gone or do not read. */
  readonly signalsDropped: number;
  /** Records that were not understood. */
  readonly malformed: number;
  /** Of the other servers, where there may be some. */
  readonly nodes?: NodesNumbers | undefined;
}

export class Exchange implements PortOwner {
  readonly hub: Hub<Buffer, Port>;
  readonly names: NameHub<Buffer>;
  readonly nodes: Nodes | undefined;
  readonly #options: ExchangeOptions;
  readonly #tokens = new TokenClock();
  readonly #records: RecordHandler;
  readonly #early: EarlyClaims | undefined;
  #listening: Listening | undefined = undefined;
  readonly #ports = new Set<Port>();
  /** By worker: its newest link. */
  readonly #workers = new Map<number, Port>();
  /** Messages wait for the rows of other workers. */
  #gathering: boolean;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { takeOver, node } = options;
    const tokens = this.#tokens;
    const changed = (kind: number) => options.nodes && ((name: string) => this.nodes?.changed(kind, name));
    const present = (group: string, row: PresenceRow) => {
      if (!this.hub.isHere(group)) this.nodes?.changed(PEER_KIND.presence, presenceName(group, row));
    };
    this.hub = new Hub(changed(PEER_KIND.group), options.nodes && present);
    const onContested = (contest: Contest) => options.onContested?.(contest);
    const named = { tokens, takeOver, node, onChanged: changed(PEER_KIND.name), onContested };
    this.names = new NameHub(named, copyOf);
    const onSignal = (worker: number, serial: number, message: Buffer) => {
      if (this.#workers.get(worker)?.remote(serial, message) !== true) this.#records.signalsDropped++;
    };
    const onMessages = (group: string, records: Buffer, messages: number) =>
      this.#records.passOn(group, records, messages);
    const ask: ExchangeParts["ask"] = (...asked) => this.#records.ask(...asked);
    this.nodes = options.nodes?.({ hub: this.hub, names: this.names, tokens, ask, onMessages, onSignal });
    const { hub, names, nodes } = this;
    this.#early = nodes && new EarlyClaims(() => nodes.settled);
    this.#records = new RecordHandler({ hub, names, nodes, workers: this.#workers, early: this.#early });
    this.#gathering = options.workers > 0;
    if (this.#gathering) this.hub.presence.hold();
  }

  /** @throws NodeJS.ErrnoException when the socket cannot be bound */
  async listen(): Promise<void> {
    const { path, transport } = this.#options;
    // Of an exchange that was killed.
    rmSync(path, { force: true });
    this.#listening = await transport.listen(
      { path },
      {
        backlog: BACKLOG,
        onSocket: (socket) => void this.#ports.add(new Port(socket, this)),
        onError: ({ message }) => this.#options.onFailed?.(message),
      },
    );
    if (this.#gathering) clock.setTimeout(() => this.#gathered(), GATHER, true);
    else this.#openNodes();
  }

  /** Other servers are told of this one when its rows are complete: what they know of it before stays until then. */
  #openNodes(): void {
    this.#early?.begin();
    this.nodes?.open().catch((error: Error) => this.#options.onFailed?.(error.message));
  }

  /** Tells other servers that this one ends. */
  async leave(): Promise<void> {
    await this.nodes?.close();
  }

  close(): void {
    void this.leave();
    this.#listening?.close();
    for (const port of this.#ports) port.link.close();
  }

  get links(): number {
    return this.#ports.size;
  }

  get numbers(): ExchangeNumbers {
    const { published, linkFull, workerDown, signalsDropped, malformed } = this.#records;
    return {
      links: this.#workers.size,
      groups: this.hub.groupCount,
      memberships: this.hub.memberships,
      names: this.names.names.size,
      replaced: this.names.names.replaced,
      conflicts: this.names.names.conflicts,
      contested: this.names.names.contested,
      waiting: [...this.#workers].map(([worker, { link }]) => [worker, link.waiting]),
      published,
      linkFull,
      workerDown,
      signalsDropped,
      malformed,
      nodes: this.nodes && nodesNumbers(this.nodes),
    };
  }

  // -- links ----------------------------------------------------------------------------------------------

  onRecord(port: Port, record: LinkRecord): void {
    try {
      if (record.kind === KIND.hello) this.#hello(port, record);
      else if (port.worker === 0) port.link.close();
      else if (record.kind === KIND.ready) this.#ready(port);
      else this.#records.handle(port, record);
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      this.#records.malformed++;
    }
  }

  onClosed(port: Port): void {
    this.#ports.delete(port);
    for (const [group, messages] of port.unsentMessages)
      this.#records.workerDown += messages * this.hub.countAt(port, group);
    this.hub.detach(port);
    this.#early?.detach(port);
    this.names.detach(port);
    if (this.#workers.get(port.worker) === port) this.#workers.delete(port.worker);
    this.#options.onLinkClosed?.(this.#ports.size);
  }

  onLinkFull(port: Port, group: string): void {
    this.#records.linkFull += this.hub.countAt(port, group);
  }

  #hello(port: Port, { body }: LinkRecord): void {
    if (port.worker !== 0) return;
    const { worker, token } = readHello(body);
    port.worker = worker;
    this.#tokens.restore(token);
    const before = this.#workers.get(port.worker);
    this.#workers.set(port.worker, port);
    this.hub.attach(port);
    // The worker has connected anew before the end of its last link was seen.
    before?.link.close();
  }

  #ready(port: Port): void {
    port.ready = true;
    if (!this.#gathering) return;
    const ready = [...this.#workers.values()].filter((one) => one.ready).length;
    if (ready >= this.#options.workers) this.#gathered();
    else port.link.pause();
  }

  #gathered(): void {
    if (!this.#gathering) return;
    this.#gathering = false;
    this.#openNodes();
    this.hub.presence.release();
    for (const port of this.#ports) port.link.resume();
  }
}

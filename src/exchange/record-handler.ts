/** What a worker's records ask of the exchange: changes to its tables, and messages that it passes on. */
import type { Hub } from "../groups/hub/hub.js";
import { answerQuery } from "../groups/hub/hub-queries.js";
import type { Asked, AskPort, NameHub } from "../groups/hub/name-hub.js";
import type { EarlyClaims } from "./early-claims.js";
import type { Nodes } from "./nodes/nodes.js";
import type { Port } from "./port.js";
import { readRow } from "./records/connect-records.js";
import { MalformedRecord, nameIn, serialAt } from "./records/malformed-record.js";
import { readAnswer, readAsk, readClaim, readHeld } from "./records/name-records.js";
import { readIntroduction } from "./records/presence-records.js";
import { isPublish, PUBLISH_HEAD } from "./records/publish-records.js";
import { readQuery } from "./records/query-records.js";
import { KIND, type LinkRecord } from "./records/records.js";
import { readRemote, signalTarget } from "./records/signal-records.js";

export interface RecordHandlerParts {
  readonly hub: Hub<Buffer, Port>;
  readonly names: NameHub<Buffer>;
  readonly nodes: Nodes | undefined;
  /** By worker: its newest link. */
  readonly workers: ReadonlyMap<number, Port>;
  /** Where there are other servers. */
  readonly early: EarlyClaims | undefined;
}

export class RecordHandler {
  published = 0;
  /** Deliveries that were dropped because a worker does not read. */
  linkFull = 0;
  /** Deliveries that waited for a worker at its end. */
  workerDown = 0;
  /** Messages to processes of workers that are gone or do not read. */
  signalsDropped = 0;
  /** Records that were not understood. */
  malformed = 0;
  readonly #hub: Hub<Buffer, Port>;
  readonly #names: NameHub<Buffer>;
  readonly #nodes: Nodes | undefined;
  readonly #workers: ReadonlyMap<number, Port>;
  readonly #early: EarlyClaims | undefined;

  constructor({ hub, names, nodes, workers, early }: RecordHandlerParts) {
    this.#hub = hub;
    this.#names = names;
    this.#nodes = nodes;
    this.#workers = workers;
    this.#early = early;
  }

  /** @throws MalformedRecord when the body is too short, or has a name or serial that a worker does not send */
  handle(port: Port, record: LinkRecord): void {
    // Most records are of this kind.
    if (record.kind === KIND.publish) return this.#publish(port, record);
    const { kind, name, body } = record;
    switch (kind) {
      case KIND.row:
        nameIn("group", name);
        for (const serial of readRow(body)) this.#hub.join(port, name, serial);
        return;
      case KIND.here:
        return this.#hub.keepHere(nameIn("group", name));
      case KIND.join:
        return this.#hub.join(port, nameIn("group", name), serialAt(body, 0));
      case KIND.introduce: {
        const { serial, key, info } = readIntroduction(body);
        return this.#hub.introduce(port, name, serial, key, info);
      }
      case KIND.leave:
        return this.#hub.leave(port, name, serialAt(body, 0));
      case KIND.signal:
        if (this.#workers.get(signalTarget(record))?.pass(record.whole) !== true) this.signalsDropped++;
        return;
      case KIND.remote: {
        const { worker, serial, message } = readRemote(record);
        const peer = this.#nodes?.peer(name);
        if (peer) peer.signal(worker, serial, message);
        else this.signalsDropped++;
        return;
      }
      case KIND.query:
        return this.#answer(port, body);
      case KIND.claim: {
        const { id, serial, refuse } = readClaim(body);
        nameIn("name", name);
        const claim = () => this.#names.names.claim(port, id, name, serial, refuse);
        if (!this.#early?.claim(port, name, serial, claim)) claim();
        return;
      }
      case KIND.release: {
        const serial = serialAt(body, 0);
        this.#early?.release(port, name, serial);
        return this.#names.names.release(port, name, serial);
      }
      case KIND.held: {
        const { serial, token } = readHeld(body);
        return this.#names.names.restore(port, nameIn("name", name), serial, token);
      }
      case KIND.ask: {
        const { id, ...request } = readAsk(body);
        return this.ask(port, id, name, request);
      }
      case KIND.answer: {
        const { id, code, body: content } = readAnswer(body);
        return this.#names.answer(port, id, code, code === "answer" ? content : content.toString());
      }
      default:
        this.malformed++;
    }
  }

  /** @param port what waits for the answer */
  ask(port: AskPort<Buffer>, id: number, name: string, request: Asked<Buffer>): void {
    const { names } = this.#names;
    if (this.#early?.waits && !names.holder(name) && !names.peerHolder(name)) {
      const kept = { ...request, body: Buffer.from(request.body) };
      if (this.#early.ask(port, name, () => this.#names.ask(port, id, name, kept))) return;
    }
    this.#names.ask(port, id, name, request);
  }

  /** Messages of one group that follow each other are looked at once, and go to each worker and server in one copy. */
  #publish({ link }: Port, record: LinkRecord): void {
    if (!isPublish(record)) throw new MalformedRecord("a message that is cut");
    const { name } = record;
    const { bytes, count: messages } = link.run(record, PUBLISH_HEAD + 1);
    this.published += messages;
    this.passOn(name, bytes, messages);
    for (const peer of this.#hub.peersOf(name)) peer.pass(bytes, messages);
  }

  /** So many messages of a group, to the workers with members of it. */
  passOn(group: string, records: Buffer, messages: number): void {
    for (const port of this.#hub.portsOf(group))
      if (!port.pass(records)) this.linkFull += messages * this.#hub.countAt(port, group);
  }

  #answer(port: Port, body: Buffer): void {
    const { id, query } = readQuery(body);
    if (query.ask !== "members" || !this.#nodes)
      return port.reply(id, answerQuery(this.#hub, this.#names, query));
    void this.#nodes.members(query.group).then((members) => port.reply(id, members));
  }
}

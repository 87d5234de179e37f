/** What a worker's records ask of the exchange: changes to its tables, and messages that it passes on. */
import type { Hub } from "../groups/hub/hub.js";
import { answerQuery, type HubQuery } from "../groups/hub/hub-queries.js";
import type { NameHub } from "../groups/hub/name-hub.js";
import { checkName } from "../groups/name.js";
import type { Nodes } from "./nodes/nodes.js";
import type { Port } from "./port.js";
import { readAnswer, readAsk } from "./records/name-records.js";
import { readIntroduction } from "./records/presence-records.js";
import { isPublish, messagesIn, PUBLISH_HEAD } from "./records/publish-records.js";
import { count, KIND, type LinkRecord } from "./records/records.js";
import { readRemote, signalTarget } from "./records/signal-records.js";

export interface RecordHandlerParts {
  readonly hub: Hub<Buffer, Port>;
  readonly names: NameHub<Buffer>;
  readonly nodes: Nodes | undefined;
  /** By worker: its newest link. */
  readonly workers: ReadonlyMap<number, Port>;
}

export class RecordHandler {
  published = 0;
  /** Deliveries that were dropped because a worker does not read. */
  linkFull = 0;
  /** Messages to processes of workers that are gone or do not read. */
  signalsDropped = 0;
  /** Records that were not understood. */
  malformed = 0;
  readonly #hub: Hub<Buffer, Port>;
  readonly #names: NameHub<Buffer>;
  readonly #nodes: Nodes | undefined;
  readonly #workers: ReadonlyMap<number, Port>;

  constructor({ hub, names, nodes, workers }: RecordHandlerParts) {
    this.#hub = hub;
    this.#names = names;
    this.#nodes = nodes;
    this.#workers = workers;
  }

  /** @throws RangeError when the body is too short, or has a name or serial that a worker does not send */
  handle(port: Port, record: LinkRecord): void {
    // Most records are of this kind.
    if (record.kind === KIND.publish) return this.#publish(port, record);
    const { kind, name, body } = record;
    switch (kind) {
      case KIND.row:
        checkName("group", name);
        for (let at = 0; at + 8 <= body.length; at += 8) this.#hub.join(port, name, serialAt(body, at));
        return;
      case KIND.here:
        return this.#hub.keepHere(checkName("group", name));
      case KIND.join:
        return this.#hub.join(port, checkName("group", name), serialAt(body, 0));
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
        return this.#answer(port, body.readUInt32BE(0), JSON.parse(body.toString("utf8", 4)));
      case KIND.claim:
        return this.#names.names.claim(
          port,
          body.readUInt32BE(0),
          checkName("name", name),
          serialAt(body, 4),
          body.readUInt8(12) === 1,
        );
      case KIND.release:
        return this.#names.names.release(port, name, serialAt(body, 0));
      case KIND.held: {
        const token = count(body.readDoubleBE(8));
        return this.#names.names.restore(port, checkName("name", name), serialAt(body, 0), token);
      }
      case KIND.ask: {
        const { id, ...request } = readAsk(body);
        return this.#names.ask(port, id, name, request);
      }
      case KIND.answer: {
        const { id, code, body: content } = readAnswer(body);
        return this.#names.answer(port, id, code, code === "answer" ? content : content.toString());
      }
      default:
        this.malformed++;
    }
  }

  /** Messages of one group that follow each other are looked at once, and go to each worker in one copy. */
  #publish({ link }: Port, record: LinkRecord): void {
    if (!isPublish(record)) throw new RangeError("a message that is cut");
    const { name } = record;
    const { bytes, count: messages } = link.run(record, PUBLISH_HEAD + 1);
    this.published += messages;
    for (const port of this.#hub.portsOf(name))
      if (!port.pass(bytes)) this.linkFull += messages * this.#hub.countAt(port, name);
    for (const peer of this.#hub.peersOf(name))
      for (const message of messagesIn(bytes)) peer.publish(name, message);
  }

  #answer(port: Port, id: number, query: HubQuery): void {
    if (query.ask !== "members" || !this.#nodes)
      return port.reply(id, answerQuery(this.#hub, this.#names, query));
    void this.#nodes.members(query.group).then((members) => port.reply(id, members));
  }
}

/** A serial: other servers are told it in text, and refuse what is none. */
function serialAt(body: Buffer, at: number): number {
  return count(body.readDoubleBE(at));
}

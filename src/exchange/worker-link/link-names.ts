/** Names and asks over the link of a worker: what it sends, what it gets, and what a broken link means for them. */
import type { PidPair } from "../../groups/hub/hub.js";
import { takeRequest } from "../../groups/local/incoming-requests.js";
import type { LocalAsks } from "../../groups/local/local-asks.js";
import type { LocalNames } from "../../groups/local/local-names.js";
import { Message } from "../../groups/message.js";
import type { Answering } from "../../groups/request.js";
import type { LinkSocket } from "../link-socket.js";
import { MalformedRecord, serialAt } from "../records/malformed-record.js";
import {
  readAnswer,
  readClaimed,
  readRequest,
  writeAnswer,
  writeAsk,
  writeClaim,
  writeHeld,
} from "../records/name-records.js";
import { KIND, type LinkRecord } from "../records/records.js";
import { MAX_UNSENT } from "./unsent-messages.js";

interface Claiming {
  readonly id: number;
  readonly name: string;
  readonly serial: number;
  readonly refuse: boolean;
}

interface Asking {
  readonly id: number;
  readonly name: string;
  readonly body: Message;
  readonly within: number;
  readonly from: PidPair;
}

export class LinkNames {
  readonly #names: LocalNames;
  readonly #asks: LocalAsks;
  /** The link, while it is up. */
  #link: LinkSocket | undefined = undefined;
  /** Asks that wait for it, and their bytes. */
  #unsent: Asking[] = [];
  #unsentBytes = 0;

  constructor(names: LocalNames, asks: LocalAsks) {
    this.#names = names;
    this.#asks = asks;
  }

  /** While the link is down a claim waits: all are sent when it is up again. */
  claim(claim: Claiming): void {
    if (this.#link) this.#claim(this.#link, claim);
  }

  #claim(link: LinkSocket, { id, name, serial, refuse }: Claiming): void {
    writeClaim(link.writer, name, { id, serial, refuse });
    link.flushSoon();
  }

  /** @param full whether too much waits for the exchange already */
  ask(ask: Asking, full: boolean): void {
    if (!this.#link) {
      if (ask.id !== 0) this.#askLater(ask);
    } else if (full) this.#asks.answered(ask.id, "busy", "too much waits for the exchange");
    else this.#ask(this.#link, ask);
  }

  #askLater(ask: Asking): void {
    const { byteLength } = ask.body;
    // The oldest whose time is over are not sent any more.
    const first = this.#unsent.findIndex(({ id }) => this.#asks.waits(id));
    for (const { body } of this.#unsent.splice(0, first === -1 ? this.#unsent.length : first))
      this.#unsentBytes -= body.byteLength;
    if (this.#unsentBytes + byteLength > MAX_UNSENT)
      return this.#asks.answered(ask.id, "busy", "the exchange is away, and too many asks wait for it");
    this.#unsentBytes += byteLength;
    this.#unsent.push(ask);
  }

  #ask(link: LinkSocket, { id, name, body, within, from }: Asking): void {
    this.#asks.sent(id);
    writeAsk(link.writer, KIND.ask, name, { id, within, from }, undefined, body);
    link.flushSoon();
  }

  /** The link is up: first the names that are held here. */
  connected(link: LinkSocket): void {
    this.#link = link;
    for (const { name, serial, token } of this.#names.rows()) writeHeld(link.writer, name, serial, token);
  }

  /** All rows are sent: what has waited follows, but no ask whose time is over. */
  goOn(link: LinkSocket): void {
    for (const claim of this.#names.pending()) this.#claim(link, claim);
    this.#unsentBytes = 0;
    for (const ask of this.#unsent.splice(0)) if (this.#asks.waits(ask.id)) this.#ask(link, ask);
  }

  /** Asks under way may have been handled: they are not sent again. */
  lost(): void {
    this.#link = undefined;
    this.#asks.failSent("the link to the exchange was lost");
  }

  /** @throws MalformedRecord when it cannot be read, or is of no kind that a worker gets */
  received(link: LinkSocket, { kind, name, body }: LinkRecord): void {
    if (kind === KIND.claimed) {
      const { id, result } = readClaimed(body);
      this.#names.claimed(id, result);
    } else if (kind === KIND.replace) this.#names.replace(name, serialAt(body, 0));
    else if (kind === KIND.answered) {
      const { id, code, body: content } = readAnswer(body);
      const message = code === "answer" ? Message.tryRead(content) : content.toString();
      this.#asks.answered(id, code, message ?? "the answer cannot be read");
    } else if (kind === KIND.request) this.#request(link, name, body);
    else throw new MalformedRecord(`a record of kind ${kind}`);
  }

  #request(link: LinkSocket, name: string, body: Buffer): void {
    const request = readRequest(body);
    const answer: Answering = (code, content) => {
      if (request.id === 0 || this.#link !== link) return;
      writeAnswer(link.writer, KIND.answer, request.id, code, content);
      link.flushSoon();
    };
    const message = Message.tryRead(request.body);
    if (!message) return answer("refused", "the request cannot be read");
    takeRequest(this.#names, name, { ...request, body: message }, answer);
  }
}

/** Questions to the tables of the exchange. One that is open when the link breaks is asked again on the next link. */
import { clock } from "../../otp/time/clock.js";
import type { LinkSocket } from "../link-socket.js";
import { readReply } from "../records/query-records.js";
import { KIND } from "../records/records.js";

/** Milliseconds in which a query is answered, or fails. */
const TIMEOUT = 5_000;

interface Query {
  readonly text: string;
  readonly resolve: (answer: unknown) => void;
}

export class LinkQueries {
  /** The link, while it is up. */
  #link: LinkSocket | undefined = undefined;
  readonly #queries = new Map<number, Query>();
  #lastId = 0;

  /** Rejects when it is not answered within so many milliseconds. */
  ask(query: object, timeout = TIMEOUT): Promise<unknown> {
    const id = ++this.#lastId;
    const text = JSON.stringify(query);
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        this.#queries.delete(id);
        reject(new Error(`the exchange has not answered within ${timeout / 1_000} s`));
      }, timeout);
      const done = (answer: unknown) => {
        clock.clearTimeout(timer);
        resolve(answer);
      };
      this.#queries.set(id, { text, resolve: done });
      if (this.#link) this.#send(this.#link, id, text);
    });
  }

  #send(link: LinkSocket, id: number, text: string): void {
    link.writer.addText(KIND.query, id, text);
    link.flushSoon();
  }

  connected(link: LinkSocket): void {
    this.#link = link;
    for (const [id, { text }] of this.#queries) this.#send(link, id, text);
  }

  lost(): void {
    this.#link = undefined;
  }

  /** @throws MalformedRecord when it cannot be read */
  replied(body: Buffer): void {
    const { id, answer } = readReply(body);
    const query = this.#queries.get(id);
    this.#queries.delete(id);
    query?.resolve(answer);
  }
}

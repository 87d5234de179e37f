/** Asks other servers for the members of a group. A server that does not answer in time is left out. */
import type { PidPair } from "../../groups/hub/hub.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { atLeast, idOf, serialAt } from "../records/malformed-record.js";
import type { Peer } from "./peer/peer.js";

/** Milliseconds. */
const TIMEOUT = 1_000;

interface Query {
  readonly peer: Peer;
  readonly members: PidPair[];
  done(): void;
}

export class MemberQueries {
  readonly #queries = new Map<number, Query>();
  #lastId = 0;

  /** @returns the members on these servers, by server, worker and serial */
  async ask(peers: readonly Peer[], group: string): Promise<PidPair[]> {
    const answers = await Promise.all(peers.map((peer) => this.#ask(peer, group)));
    return answers.flat();
  }

  #ask(peer: Peer, group: string): Promise<readonly PidPair[]> {
    const id = (this.#lastId = (this.#lastId % 0xffff_fffe) + 1);
    return new Promise((resolve) => {
      const members: PidPair[] = [];
      const timer: TimerRef = clock.setTimeout(() => this.#queries.get(id)?.done(), TIMEOUT, true);
      const done = () => {
        clock.clearTimeout(timer);
        this.#queries.delete(id);
        resolve(members);
      };
      this.#queries.set(id, { peer, members, done });
      peer.query(id, group);
    });
  }

  /** @throws MalformedRecord when the record is malformed */
  replied(peer: Peer, body: Buffer): void {
    const query = this.#queries.get(idOf(body));
    if (query?.peer !== peer) return;
    for (let at = 5; at < body.length; at += 10)
      query.members.push([atLeast(body, at + 10).readUInt16BE(at), serialAt(body, at + 2), peer.node]);
    if (atLeast(body, 5).readUInt8(4) === 1) query.done();
  }

  /** The server is gone. */
  lost(peer: Peer): void {
    for (const query of [...this.#queries.values()]) if (query.peer === peer) query.done();
  }
}

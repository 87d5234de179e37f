/**
 * Failure detector: heartbeats to the other servers, and which of them are gone. One is gone when its inbox has no
 * listener twice, or when it is silent for `nodeTimeout`; never before our own link is 2 s old.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { Peer } from "../peer/peer.js";
import type { Announcements } from "./announcements.js";
import type { Roster } from "./roster.js";
import type { SameName } from "./same-name.js";

/** Milliseconds between two heartbeats to all. */
const HEARTBEAT = 500;
/** Requests to each inbox per heartbeat: a server that is killed is gone after 525 ms at most, and a delay. */
const PROBES = 4;
const PROBE = HEARTBEAT / PROBES;
/** Milliseconds that our own link must be up before another server can be found gone: it may be connecting, too. */
const LINK_AGE = 2_000;
/** Milliseconds between two findings that an inbox has no listener: an exchange that is started anew needs 300. */
const UNANSWERED = 400;
/** Milliseconds of our own link in which each other server has sent a heartbeat. */
const HEARD = HEARTBEAT + 100;
/** Milliseconds in which a new incarnation of a server must have sent its rows; until then the old ones stay. */
const RENEWAL = 5_000;
/** Milliseconds that a lost server is shown. */
const FORGET = 60 * 60_000;

export interface DetectorParts {
  readonly roster: Roster;
  readonly self: Announcements;
  readonly sameName: SameName;
  /** Milliseconds. */
  readonly nodeTimeout: number;
  /** Sends what waits. */
  flush(): void;
}

export class FailureDetector {
  readonly #parts: DetectorParts;
  /** When our own link was up, or our own event loop ran again; `undefined`: it is not up. */
  #upAt: number | undefined = undefined;
  /** When our own link was up. What waited for it leaves when the other server is heard again: it was away, too. */
  #linkedAt = -Infinity;
  #beatAt = clock.now();
  #timer: TimerRef = undefined;
  /** Probes since the start: every fourth one comes with a heartbeat. */
  #probes = 0;
  #stopped = false;

  constructor(parts: DetectorParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = clock.setTimeout(() => this.#beat(), PROBE, true);
  }

  stop(): void {
    this.#stopped = true;
    clock.clearTimeout(this.#timer);
  }

  /** Whether a server was heard since our own link is up. */
  hears(peer: Peer): boolean {
    return peer.heardAt >= this.#linkedAt;
  }

  /** Whether our own link is up for so long that each other server was heard. */
  get settled(): boolean {
    return this.#upAt !== undefined && clock.now() - this.#linkedAt >= HEARD;
  }

  #beat(): void {
    this.start();
    const { roster, self, sameName, flush } = this.#parts;
    const now = clock.now();
    // This OS process stood still, so that what the others said has not been read yet.
    if (now - this.#beatAt > 3 * HEARTBEAT && this.#upAt !== undefined) this.#upAt = now;
    this.#beatAt = now;
    sameName.tick(now);
    if (sameName.refused) return;
    if (++this.#probes % PROBES === 0 && this.#upAt !== undefined) self.helloToAll();
    for (const peer of roster.all) this.#check(peer, now);
    flush();
  }

  #check(peer: Peer, now: number): void {
    const { roster, nodeTimeout } = this.#parts;
    if (peer.state === "down") {
      if (now - peer.since > FORGET) roster.forget(peer);
      return;
    }
    const silent = now - peer.heardAt > nodeTimeout;
    if (silent && (this.#upAt === undefined || now - this.#upAt >= LINK_AGE))
      return roster.lose(peer, `it was silent for ${nodeTimeout / 1_000} s`);
    if (peer.hasOldRows && now - peer.since > RENEWAL) {
      peer.hasOldRows = false;
      peer.rows.forget("lost");
    }
    if (!peer.rows.complete) roster.needRows(peer);
    const waits = !this.hears(peer) && peer.stream.waiting > 0;
    if (this.#upAt !== undefined && !waits) this.#probe(peer);
  }

  #probe(peer: Peer): void {
    peer.stream.probe((writer) => {
      this.#parts.self.writeHello(writer);
      peer.roundTrip.write(writer);
    });
  }

  /** Our own link. */
  linkIs(state: "up" | "down"): void {
    if (this.#stopped) return;
    const { roster, self, sameName, flush } = this.#parts;
    this.#upAt = state === "up" ? clock.now() : undefined;
    if (state === "up") this.#linkedAt = clock.now();
    for (const peer of roster.all) peer.unansweredAt = undefined;
    if (state === "down") return;
    if (!sameName.refused) self.helloToAll();
    flush();
  }

  /** An inbox has no listener. */
  unanswered(inbox: string): void {
    const { roster } = this.#parts;
    const peer = roster.find(inbox);
    const now = clock.now();
    // The other server may be connecting, as this one was just before.
    if (!peer || peer.state === "down" || this.#upAt === undefined || now - this.#upAt < LINK_AGE) return;
    if (peer.unansweredAt === undefined) {
      peer.unansweredAt = now;
      clock.setTimeout(() => this.#probeAgain(peer), UNANSWERED, true);
    } else if (now - peer.unansweredAt >= UNANSWERED) roster.lose(peer, "its exchange is gone");
  }

  #probeAgain(peer: Peer): void {
    if (this.#stopped || peer.unansweredAt === undefined || peer.state === "down") return;
    this.#probe(peer);
  }
}

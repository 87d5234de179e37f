/** Two servers of one name: the older one stays, and refuses the younger one, which is silent from then on. */
import { clock } from "../../../otp/time/clock.js";
import type { Hello } from "../peer/peer-records.js";
import type { Announcements } from "./announcements.js";

/** Milliseconds after which a refused server looks whether the other one of its name is gone. */
const REFUSED_AGAIN = 10_000;

export class SameName {
  readonly #self: Announcements;
  readonly #onRefused: (text: string) => void;
  #refusedAt: number | undefined = undefined;

  constructor(self: Announcements, onRefused: (text: string) => void) {
    this.#self = self;
    this.#onRefused = onRefused;
  }

  /** This server is refused, and silent. */
  get refused(): boolean {
    return this.#refusedAt !== undefined;
  }

  /** Once for each heartbeat. */
  tick(now: number): void {
    if (this.#refusedAt !== undefined && now - this.#refusedAt >= REFUSED_AGAIN) this.#refusedAt = undefined;
  }

  /** Another server has our name. @returns whether it is older, so that this one is refused */
  met(incarnation: string, { startedAt }: Hello): boolean {
    const own = this.#self.hello.startedAt;
    if (startedAt > own) this.#self.refuse(incarnation);
    // At the same time: an incarnation of this server that is gone, its exchange was started anew.
    return startedAt < own;
  }

  /** @returns whether this server is refused now, and was not before */
  refuse(node: string, { startedAt }: Hello): boolean {
    const { node: own, hello } = this.#self;
    if (node !== own || startedAt >= hello.startedAt || this.refused) return false;
    this.#refusedAt = clock.now();
    return true;
  }

  /** Reports it. */
  report({ startedAt }: Hello): void {
    this.#onRefused(
      `the cluster has a server named ${this.#self.node} already, started ${new Date(startedAt).toISOString()}: set another --node`,
    );
  }
}

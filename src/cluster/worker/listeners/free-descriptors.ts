/**
 * Limit on connections from the file descriptors that are free. Without a free descriptor libuv accepts a connection
 * and closes it without an event; a connection that is not accepted waits in the backlog, or another worker takes it.
 */
import { closeSync, openSync } from "node:fs";
import { clock } from "../../../otp/time/clock.js";
import { outgoingDescriptors } from "../../../tcp/outgoing/outgoing-protocol.js";
import type { Log } from "../../../telemetry/log/log.js";

/** Open file descriptors of one OS process, and how many of them are connections. */
export interface DescriptorUse {
  readonly active: number;
  readonly openFds: number;
  /** Limit of the OS process; 0 when unknown. */
  readonly maxFds: number;
}

/** Descriptors kept free for other uses: files, the listening socket, the channel. */
const RESERVE = 32;
/** Least time between two warnings, in milliseconds. */
const WARN_EVERY = 10_000;

/** Whether this OS process has a free descriptor at this moment. */
export function hasFreeDescriptor(): boolean {
  try {
    closeSync(openSync("/dev/null", "r"));
    return true;
  } catch {
    return false;
  }
}

export class FreeDescriptors {
  readonly #log: Pick<Log, "warn">;
  readonly #outgoing: () => number;
  /** Times that none was left while a listener accepted: libuv has closed the clients that came, without an event. */
  exhausted = 0;
  /** Descriptors for connections of both kinds. */
  #both = Number.POSITIVE_INFINITY;
  #warnedAt = Number.NEGATIVE_INFINITY;
  /** From this file descriptor on, descriptors are short. */
  nearAt = Number.POSITIVE_INFINITY;

  /** @param outgoing number of outgoing connections now: a gateway opens one for each client, between two counts */
  constructor(log: Pick<Log, "warn">, outgoing: () => number = outgoingDescriptors) {
    this.#log = log;
    this.#outgoing = outgoing;
  }

  /** Connections of listeners for which there are descriptors, including those that are open. */
  get room(): number {
    return Math.max(0, this.#both - this.#outgoing());
  }

  /**
   * Updates `room`: the limit may have been lowered, and a protocol may open files.
   * @param share connections that the primary allows; a warning is logged when there is no room for them
   * @param accepting whether a listener accepts clients at present
   */
  update({ active, openFds, maxFds }: DescriptorUse, share: number, accepting = false): void {
    if (maxFds === 0) return;
    if (accepting && openFds >= maxFds) this.#noneLeft(openFds, maxFds);
    this.nearAt = maxFds - RESERVE;
    this.#both = maxFds - (openFds - active - this.#outgoing()) - RESERVE;
    this.#warn(share, openFds, maxFds);
  }

  #noneLeft(openFds: number, maxFds: number): void {
    this.exhausted++;
    this.#log.warn(
      `no file descriptor was left (${openFds} of ${maxFds}): clients that connected at this moment were closed and are not counted; raise the limit (ulimit -n), or find what opens so many`,
      { event: "descriptors_exhausted", openFds, maxFds },
    );
  }

  #warn(share: number, openFds: number, maxFds: number): void {
    const now = clock.now();
    if (this.room >= share || now - this.#warnedAt < WARN_EVERY) return;
    this.#warnedAt = now;
    this.#log.warn(
      `${openFds} of ${maxFds} file descriptors are in use: no more than ${this.room} connections are accepted; raise the limit (ulimit -n)`,
      { openFds, maxFds, maxConnections: this.room },
    );
  }
}

/**
 * Limits of this worker, over all its listeners: its share of `--max-connections`, or less where descriptors are short.
 * Passes the primary's decisions on to the listener that they are for.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import { AcceptRate } from "../../../tcp/admission/accept-rate.js";
import type { Boot } from "../../channel/boot-message.js";
import type { LimitsRequest } from "../../channel/requests.js";
import { type DescriptorUse, FreeDescriptors } from "./free-descriptors.js";
import type { WorkerListener } from "./worker-listener.js";

/**
 * Milliseconds between two counts of the descriptors: there is no event when one is taken or their limit is lowered, and
 * without a free one libuv closes the next clients. A count takes 30 us.
 */
const RECOUNT = 100;
/** A client that comes this many milliseconds after the last count causes another one. */
const COUNT_AGE = 50;
/** So does each of this number of clients: fewer than the descriptors in reserve, as the limit may be lowered in a burst. */
const COUNT_EVERY = 24;

export class WorkerLimits {
  /** This worker's share of `--max-connections`. */
  share: number;
  /** Of all its listeners together. */
  readonly acceptRate: AcceptRate;
  /** Messages about limits that were applied. */
  applied = 0;
  readonly #listeners: () => readonly WorkerListener[];
  readonly #freeDescriptors: FreeDescriptors;
  #recount: TimerRef = undefined;
  #countedAt = Number.NEGATIVE_INFINITY;
  /** Clients accepted since. */
  #accepted = 0;
  #count: (() => DescriptorUse) | undefined = undefined;
  readonly #sendSnapshot: () => void;

  constructor(
    { maxConnections, acceptRate }: Pick<Boot, "maxConnections" | "acceptRate">,
    listeners: () => readonly WorkerListener[],
    sendSnapshot: () => void,
    log: ConstructorParameters<typeof FreeDescriptors>[0],
  ) {
    this.share = maxConnections;
    this.acceptRate = new AcceptRate(acceptRate.rate, acceptRate.tokens);
    this.#listeners = listeners;
    this.#freeDescriptors = new FreeDescriptors(log);
    this.#sendSnapshot = sendSnapshot;
  }

  /** The share, or less where file descriptors are short. */
  get maxConnections(): number {
    return Math.min(this.share, this.#freeDescriptors.room);
  }

  /** Times that no descriptor was left while a listener accepted. */
  get descriptorsExhausted(): number {
    return this.#freeDescriptors.exhausted;
  }

  /**
   * Called with every snapshot.
   * @param count counts them again
   */
  updateDescriptors(use: DescriptorUse, count: () => DescriptorUse): void {
    const before = this.maxConnections;
    this.#count = count;
    this.#countedAt = clock.now();
    this.#accepted = 0;
    const accepting = this.#listeners().some(({ process }) => process?.state === "listening");
    this.#freeDescriptors.update(use, this.share, accepting);
    if (this.maxConnections !== before) void this.#limitChanged();
    this.#recount ??= clock.setTimeout(
      () => {
        this.#recount = undefined;
        this.updateDescriptors(count(), count);
      },
      RECOUNT,
      true,
    );
  }

  /** A socket was accepted: counts the descriptors again, if few may be left. @param fd its own, the lowest that was free */
  accepted(fd: number): void {
    const near = ++this.#accepted >= COUNT_EVERY || fd >= this.#freeDescriptors.nearAt;
    if (this.#count && (near || clock.now() - this.#countedAt >= COUNT_AGE))
      this.updateDescriptors(this.#count(), this.#count);
  }

  async answer(asked: LimitsRequest): Promise<unknown> {
    const { listener: name } = asked;
    const listeners = this.#listeners().filter((listener) => name === undefined || listener.name === name);
    switch (asked.name) {
      case "shutdown-connections":
        return listeners.reduce((sum, listener) => sum + listener.shutdownConnections(), 0);
      case "accept": {
        const state = await listeners[0]?.accept(asked.accept);
        this.#sendSnapshot();
        return state;
      }
      case "limit":
        this.applied++;
        if (name !== undefined) await listeners[0]?.setShare(asked.maxConnections);
        else {
          this.share = asked.maxConnections;
          await this.#limitChanged();
        }
        return listeners.reduce((sum, listener) => sum + listener.endpoint.taken, 0);
      case "when-full":
        return listeners[0]?.setWhenFull(asked);
      case "accept-rate":
        return (name === undefined ? this.acceptRate : listeners[0]?.acceptRate)?.set(asked.rate);
    }
  }

  async #limitChanged(): Promise<string[]> {
    return Promise.all(this.#listeners().map((listener) => listener.limitChanged()));
  }
}

/**
 * Accept rates over all workers: that of all listeners together, and those of listeners of their own. Each worker that
 * accepts gets an equal part of each, so that accepting asks the primary for nothing. A worker whose part is used up
 * leaves the clients to the others, which share the backlog with it.
 *
 * The part of a worker that has ended, hangs or is overloaded goes to the others. A worker that starts later begins
 * without tokens: the sum of all stays within the rate.
 */
import { parseRate } from "../../../tcp/admission/rate.js";
import type { Rate } from "../../../tcp/admission/terms.js";
import type { BootRate } from "../../channel/boot-message.js";
import type { PrimaryOptions } from "../options.js";
import { overloadOf, type WorkerSlot } from "../workers/worker-slot.js";

/** The rate of all listeners together. */
const SERVER = "";
const NOTHING: Rate = Object.freeze({ perSecond: 0, burst: 0 });

/** @returns one part for each of so many workers: those for which the burst has no connection get nothing */
export function divideRate({ perSecond, burst }: Rate, workers: number): Rate[] {
  const parts = Math.min(workers, burst);
  return Array.from({ length: workers }, (_, at) =>
    at < parts
      ? { perSecond: perSecond / parts, burst: Math.floor(burst / parts) + (at < burst % parts ? 1 : 0) }
      : NOTHING,
  );
}

export class AcceptRateShares {
  readonly #slots: () => readonly WorkerSlot[];
  /** By listener; `SERVER`: of all. */
  readonly #rates = new Map<string, Rate>();
  /** By listener and slot: what the present worker of the slot was told last. */
  readonly #told = new Map<string, Map<number, Rate | undefined>>();
  /** Slots whose first worker may accept a burst at once. */
  readonly #fresh: Set<number>;
  readonly #booted = new WeakSet<object>();
  #members: readonly number[];
  readonly #changed: () => void;

  /** @param changed called when workers have got a part that had none, or the reverse */
  constructor(
    slots: () => readonly WorkerSlot[],
    { config, listeners }: Pick<PrimaryOptions, "config" | "listeners">,
    changed: () => void,
  ) {
    this.#slots = slots;
    this.#changed = changed;
    this.#members = slots().map(({ slot }) => slot);
    this.#fresh = new Set(slots().map(({ slot }) => slot));
    const configured = [
      [SERVER, config] as const,
      ...listeners.map((one) => [one.config.name, one.config] as const),
    ];
    for (const [name, { acceptRate }] of configured) {
      this.#told.set(name, new Map());
      if (acceptRate !== undefined) this.#rates.set(name, parseRate(acceptRate));
    }
  }

  /** The rate over all workers. @param listener `undefined`: of all listeners together */
  rate(listener: string = SERVER): Rate | undefined {
    return this.#rates.get(listener);
  }

  /** Replaces a rate while the program runs. @param listener `undefined`: of all listeners together */
  set(listener: string = SERVER, rate: Rate | undefined): void {
    if (rate === undefined) this.#rates.delete(listener);
    else this.#rates.set(listener, rate);
    this.#tell();
  }

  /** With what the worker that starts in this slot begins. @returns its part of the rate of all listeners, and of each, by name */
  boot(slot: number): { readonly server: BootRate; of(listener: string): BootRate } {
    const fresh = this.#fresh.delete(slot);
    const { process } = this.#slots()[slot - 1] ?? {};
    if (process) this.#booted.add(process);
    this.#members = this.#present();
    for (const [listener, told] of this.#told) told.set(slot, this.#part(listener, slot));
    this.#tell();
    const part = (listener: string): BootRate => {
      const rate = this.#part(listener, slot);
      return { rate, tokens: fresh ? (rate?.burst ?? 0) : 0 };
    };
    return { server: part(SERVER), of: part };
  }

  /** Divides again where workers have come or gone. */
  settle(): void {
    const members = this.#present();
    if (members.join() === this.#members.join()) return;
    this.#members = members;
    this.#tell();
  }

  /**
   * Whether the worker in this slot may accept: where the burst has fewer connections than there are workers, some have
   * no part. One that does not answer may go on at any moment.
   * @param listener `undefined`: whether the rate of all listeners lets it
   */
  admits(slot: number, listener: string = SERVER): boolean {
    if (!this.#members.includes(slot)) return true;
    return [SERVER, listener].every((name) => this.#part(name, slot)?.perSecond !== 0);
  }

  #part(listener: string, slot: number): Rate | undefined {
    const rate = this.#rates.get(listener);
    const at = this.#members.indexOf(slot);
    return rate && (at === -1 ? NOTHING : divideRate(rate, this.#members.length)[at]);
  }

  /** Slots whose workers accept, or will in a moment: one that starts again counts once it has booted. */
  #present(): number[] {
    const present = this.#slots().filter(({ slot, process, removing }) => {
      const counts =
        process === undefined ||
        process.condition === "running" ||
        (process.condition === "starting" && (this.#fresh.has(slot) || this.#booted.has(process)));
      return counts && !removing;
    });
    const able = present.filter((slot) => overloadOf(slot).length === 0);
    return (able.length > 0 ? able : present).map(({ slot }) => slot);
  }

  #tell(): void {
    let changed = false;
    for (const { slot, process } of this.#slots()) {
      // Before that it reads nothing.
      if (!process || !this.#booted.has(process)) continue;
      for (const [listener, told] of this.#told) {
        const rate = this.#part(listener, slot);
        const before = told.get(slot);
        if (before?.perSecond === rate?.perSecond && before?.burst === rate?.burst) continue;
        told.set(slot, rate);
        changed ||= (before?.perSecond === 0) !== (rate?.perSecond === 0);
        const name = listener === SERVER ? undefined : listener;
        void process.request({ name: "accept-rate", listener: name, rate });
      }
    }
    if (changed) this.#changed();
  }
}

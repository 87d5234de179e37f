/**
 * Claims, and asks of names that no process is known to hold, until the rows of other servers are known: the name may be
 * held there, and two holders would follow. After 2 s this server goes on alone: NATS may be away.
 */
import { clock } from "../otp/time/clock.js";

/** Milliseconds, and how often: 2 s in all, or more where this OS process stands still meanwhile. */
const LOOK_EVERY = 50;
const LOOKS = 40;
/** Asks; of claims each process has 16 at most. */
const MOST_ASKS = 10_000;

interface Early {
  /** Of a worker, or what asks from outside. */
  readonly port: object;
  readonly name: string;
  /** Of the process that claims; 0: it is an ask. */
  readonly serial: number;
  run(): void;
}

export class EarlyClaims {
  readonly #settled: () => boolean;
  /** `undefined`: nothing waits any more. */
  #waiting: Early[] | undefined = [];
  #asks = 0;

  /** @param settled whether the rows of all other servers are known */
  constructor(settled: () => boolean) {
    this.#settled = settled;
  }

  /** Whether the rows of other servers may still be missing. */
  get waits(): boolean {
    return this.#waiting !== undefined;
  }

  /** Other servers are looked for from now on. */
  begin(looks = LOOKS): void {
    if (this.#settled() || looks === 0) this.#end();
    else clock.setTimeout(() => this.begin(looks - 1), LOOK_EVERY, true);
  }

  #end(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { run } of waiting) run();
  }

  /** @returns whether it waits */
  claim(port: object, name: string, serial: number, run: () => void): boolean {
    this.#waiting?.push({ port, name, serial, run });
    return this.waits;
  }

  /** @returns whether it waits */
  ask(port: object, name: string, run: () => void): boolean {
    if (!this.#waiting || this.#asks >= MOST_ASKS) return false;
    this.#asks++;
    this.#waiting.push({ port, name, serial: 0, run });
    return true;
  }

  /** The process has given up its claim, or has ended. */
  release(port: object, name: string, serial: number): void {
    this.#drop((one) => one.port === port && one.serial === serial && one.name === name);
  }

  /** The worker has gone. */
  detach(port: object): void {
    this.#drop((one) => one.port === port);
  }

  #drop(is: (one: Early) => boolean): void {
    this.#waiting = this.#waiting?.filter((one) => !is(one));
  }
}

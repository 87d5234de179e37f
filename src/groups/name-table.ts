/**
 * Table of names in the hub: which process holds which name. At most one does. The newest claim wins: the holder is told,
 * and the claim is granted when it has let go, or after 1 s, as its worker may be blocked. Pure but for the clock.
 *
 *   claim ─┬─ free ─────────────────────────────────────▶ granted, previous none
 *          └─ held ─▶ holder is told ─┬─ it lets go ────▶ granted, previous ended
 *                                     └─ 1 s ───────────▶ granted, previous unknown
 */
import { clock, type TimerRef, wallTime } from "../otp/time/clock.js";

/** Milliseconds that a claim waits for the holder. */
const TAKE_OVER = 1_000;
/** More replacements of one name within this many milliseconds: two clients have the same name, and claims wait. */
const CONTESTED_WITHIN = 10_000;
const CONTESTED_AFTER = 4;
/** Milliseconds that claims of such a name wait: 1, 2, 4, 8 and 10 s. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10_000;

export interface Granted {
  /** Grows with every claim of every name, over all restarts: milliseconds times 4096, or one more than the last. */
  readonly token: number;
  readonly previous: "none" | "ended" | "unknown";
}

export type ClaimResult = Granted | { readonly refused: "taken" };

/** One worker, as the table of names sees it. */
export interface NamePort {
  readonly worker: number;
  claimed(id: number, result: ClaimResult): void;
  /** The process must let the name go: a newer claim waits. */
  replace(name: string, serial: number): void;
}

export interface Holder<P> {
  readonly port: P;
  readonly serial: number;
  readonly token: number;
}

interface Claim<P> {
  readonly port: P;
  readonly serial: number;
  readonly id: number;
}

interface Row<P> {
  holder: Holder<P> | undefined;
  /** Claims that wait for the holder, oldest first. */
  readonly waiting: Claim<P>[];
  timer: TimerRef;
  /** When the holder was replaced the last times. */
  replacedAt: number[];
}

export class NameTable<P extends NamePort> {
  readonly #rows = new Map<string, Row<P>>();
  readonly #names = new Map<P, Set<string>>();
  #lastToken = 0;
  replaced = 0;
  contested = 0;

  get size(): number {
    return this.#rows.size;
  }

  holder(name: string): Holder<P> | undefined {
    return this.#rows.get(name)?.holder;
  }

  /** Names that begin with `prefix`, sorted. */
  list(prefix: string, limit: number): { readonly name: string; readonly holder: Holder<P> }[] {
    const found = [...this.#rows].flatMap(([name, { holder }]) =>
      holder && name.startsWith(prefix) ? [{ name, holder }] : [],
    );
    return found.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit);
  }

  /** @param refuse whether the claim is refused where the name is held */
  claim(port: P, id: number, name: string, serial: number, refuse: boolean): void {
    const row = this.#row(name);
    const { holder } = row;
    if (holder?.port === port && holder.serial === serial)
      return port.claimed(id, { token: holder.token, previous: "none" });
    const free = holder === undefined && row.waiting.length === 0;
    if (!free && refuse) return port.claimed(id, { refused: "taken" });
    this.#namesOf(port).add(name);
    const claim = { port, serial, id };
    if (free) return this.#grant(name, row, claim, "none");
    row.waiting.push(claim);
    if (row.waiting.length === 1) this.#replace(name, row);
  }

  /** The process has let the name go, or has ended. Also of a claim that waits. */
  release(port: P, name: string, serial: number): void {
    const row = this.#rows.get(name);
    if (!row) return;
    const at = row.waiting.findIndex((one) => one.port === port && one.serial === serial);
    if (at !== -1) row.waiting.splice(at, 1);
    if (row.holder?.port === port && row.holder.serial === serial) {
      row.holder = undefined;
      this.#next(name, row, "ended");
    }
    this.#forget(port, name, row);
  }

  /** A worker has connected again, and had this name before. The higher token stays. */
  restore(port: P, name: string, serial: number, token: number): void {
    this.#lastToken = Math.max(this.#lastToken, token);
    const row = this.#row(name);
    const { holder } = row;
    if (holder && holder.token > token) return port.replace(name, serial);
    if (holder) holder.port.replace(name, holder.serial);
    row.holder = { port, serial, token };
    this.#namesOf(port).add(name);
  }

  /** The worker has gone. */
  detach(port: P): void {
    for (const name of this.#names.get(port) ?? []) {
      const row = this.#rows.get(name) as Row<P>;
      row.waiting.splice(0, row.waiting.length, ...row.waiting.filter((one) => one.port !== port));
      if (row.holder?.port === port) {
        row.holder = undefined;
        this.#next(name, row, "ended");
      }
      this.#drop(name, row);
    }
    this.#names.delete(port);
  }

  #row(name: string): Row<P> {
    let row = this.#rows.get(name);
    if (!row)
      this.#rows.set(name, (row = { holder: undefined, waiting: [], timer: undefined, replacedAt: [] }));
    return row;
  }

  #namesOf(port: P): Set<string> {
    let names = this.#names.get(port);
    if (!names) this.#names.set(port, (names = new Set()));
    return names;
  }

  #forget(port: P, name: string, row: Row<P>): void {
    const mine = row.holder?.port === port || row.waiting.some((one) => one.port === port);
    if (!mine) this.#names.get(port)?.delete(name);
    this.#drop(name, row);
  }

  #drop(name: string, row: Row<P>): void {
    if (row.holder || row.waiting.length > 0) return;
    clock.clearTimeout(row.timer);
    this.#rows.delete(name);
  }

  #grant(name: string, row: Row<P>, { port, serial, id }: Claim<P>, previous: Granted["previous"]): void {
    const token = this.#token();
    row.holder = { port, serial, token };
    port.claimed(id, { token, previous });
    if (row.waiting.length > 0) this.#replace(name, row);
  }

  /** Also over restarts of the exchange, which hears the tokens of its workers first. */
  #token(): number {
    this.#lastToken = Math.max(this.#lastToken + 1, wallTime() * 4096);
    return this.#lastToken;
  }

  #next(name: string, row: Row<P>, previous: Granted["previous"]): void {
    const claim = row.waiting.shift();
    if (!claim) return;
    clock.clearTimeout(row.timer);
    this.#grant(name, row, claim, previous);
  }

  /** Tells the holder that a claim waits; where two clients replace each other again and again, after a while. */
  #replace(name: string, row: Row<P>): void {
    const now = clock.now();
    row.replacedAt = row.replacedAt.filter((at) => at > now - CONTESTED_WITHIN);
    const more = row.replacedAt.length - CONTESTED_AFTER;
    row.replacedAt.push(now);
    clock.clearTimeout(row.timer);
    if (more < 0) return this.#tell(name, row);
    this.contested++;
    row.timer = clock.setTimeout(
      () => this.#tell(name, row),
      Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** more),
      true,
    );
  }

  #tell(name: string, row: Row<P>): void {
    const { holder } = row;
    // It has ended meanwhile, or the claim has.
    if (!holder || row.waiting.length === 0) return;
    this.replaced++;
    row.timer = clock.setTimeout(() => this.#takeOver(name, row, holder), TAKE_OVER, true);
    holder.port.replace(name, holder.serial);
  }

  /** The holder does not answer: its worker is blocked, and is told when it runs again. */
  #takeOver(name: string, row: Row<P>, holder: Holder<P>): void {
    if (row.holder !== holder) return;
    row.holder = undefined;
    this.#next(name, row, "unknown");
    this.#forget(holder.port, name, row);
  }
}

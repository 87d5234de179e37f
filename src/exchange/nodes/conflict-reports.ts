/**
 * Reports names that were held here and on another server at once, as on both sides of a partition: in one line for each
 * server, a second after the first of them was found.
 */
import { clock } from "../../otp/time/clock.js";
import { plural } from "../../text/plural.js";

/** Milliseconds. */
const COLLECT = 1_000;

export class ConflictReports {
  readonly #report: (text: string) => void;
  /** By server: how many names. */
  readonly #names = new Map<string, number>();

  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  /** So many holders here have to let go. */
  add(node: string, names: number): void {
    if (this.#names.size === 0) clock.setTimeout(() => this.#flush(), COLLECT, true);
    this.#names.set(node, (this.#names.get(node) ?? 0) + names);
  }

  #flush(): void {
    for (const [node, names] of this.#names)
      this.#report(
        `${plural(names, "name")} held here and on the server ${node}, whose claims are newer: the holders here end as replaced`,
      );
    this.#names.clear();
  }
}

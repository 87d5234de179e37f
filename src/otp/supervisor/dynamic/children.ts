/**
 * Children of a dynamic supervisor. A temporary child that is linked to the supervisor, as every connection, has only
 * the `supervised` flag: it is in the list of linked children anyway, and a table entry would double its cost. Other
 * children have an entry in a table by pid.
 */
import type { LinkedProcess } from "../../process/links/links.js";
import type { Pid } from "../../process/pid.js";
import { processOf } from "../../process/process.js";

export class DynamicChildren<A> {
  readonly #supervisor: LinkedProcess;
  readonly #temporary: boolean;
  #flaggedCount = 0;
  /** Children in the table, with their arguments for a restart; temporary ones keep none, as in OTP. */
  readonly #table = new Map<Pid, A | undefined>();

  constructor(supervisor: LinkedProcess, temporary: boolean) {
    this.#supervisor = supervisor;
    this.#temporary = temporary;
  }

  get size(): number {
    return this.#flaggedCount + this.#table.size;
  }

  /** Flagged children, then those in the table; oldest first within each. */
  get pids(): Pid[] {
    const linked = this.#flaggedCount === 0 ? [] : this.#supervisor.linkedChildren;
    return [...linked.filter((child) => child.supervised).map(({ pid }) => pid), ...this.#table.keys()];
  }

  add(pid: Pid, args: A): void {
    const child = this.#temporary ? processOf(pid) : undefined;
    // A start may return a process that it has returned before.
    if (child !== undefined && this.#isFlagged(child)) return;
    if (child?.parent !== this.#supervisor || !child.linkedToParent || this.#table.has(pid))
      this.#table.set(pid, this.#temporary ? undefined : args);
    else {
      child.supervised = true;
      this.#flaggedCount++;
    }
  }

  has(pid: Pid): boolean {
    const child = processOf(pid);
    return this.#table.has(child?.pid ?? pid) || (child !== undefined && this.#isFlagged(child));
  }

  argsOf(pid: Pid): A | undefined {
    return this.#table.get(pid);
  }

  /** Removes a child after its exit, or after an exit message that claims it. */
  remove(pid: Pid): void {
    const child = processOf(pid);
    if (child !== undefined) this.removeFlagged(child);
    this.#table.delete(pid);
  }

  /** Removes a flagged child whose exit needs no further handling. @returns false when it is not flagged */
  removeFlagged(child: LinkedProcess): boolean {
    if (!this.#isFlagged(child)) return false;
    child.supervised = false;
    this.#flaggedCount--;
    return true;
  }

  /** Moves a flagged child to the table: its link is gone, or its exit will be handled later. */
  moveToTable(child: LinkedProcess): void {
    if (this.removeFlagged(child)) this.#table.set(child.pid, undefined);
  }

  #isFlagged(child: LinkedProcess): boolean {
    return child.supervised && child.parent === this.#supervisor;
  }
}

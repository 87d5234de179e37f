/**
 * The children of a dynamic supervisor. Of most nothing is to be known but that they live: temporary ones that are
 * linked to it from their first moment, as connections are. They carry a mark, and stand among its linked
 * children in any case; a table of them would cost each as much again. The others are kept by pid.
 */
import type { LinkedProcess } from "../../process/links.js";
import type { Pid } from "../../process/pid.js";
import { processOf } from "../../process/process.js";

export class DynamicChildren<A> {
  readonly #supervisor: LinkedProcess;
  readonly #temporary: boolean;
  #marked = 0;
  /** By their arguments for a restart; temporary ones keep none, as in OTP. */
  readonly #kept = new Map<Pid, A | undefined>();

  constructor(supervisor: LinkedProcess, temporary: boolean) {
    this.#supervisor = supervisor;
    this.#temporary = temporary;
  }

  get size(): number {
    return this.#marked + this.#kept.size;
  }

  /** Oldest first, as far as they are alike. */
  get pids(): Pid[] {
    const linked = this.#marked === 0 ? [] : this.#supervisor.linkedChildren;
    return [...linked.filter((child) => child.supervised).map(({ pid }) => pid), ...this.#kept.keys()];
  }

  add(pid: Pid, args: A): void {
    const child = this.#temporary ? processOf(pid) : undefined;
    // A start may give back one that it has started before.
    if (child !== undefined && this.#marks(child)) return;
    if (child?.parent !== this.#supervisor || !child.linkedToParent || this.#kept.has(pid))
      this.#kept.set(pid, this.#temporary ? undefined : args);
    else {
      child.supervised = true;
      this.#marked++;
    }
  }

  has(pid: Pid): boolean {
    const child = processOf(pid);
    return this.#kept.has(child?.pid ?? pid) || (child !== undefined && this.#marks(child));
  }

  argsOf(pid: Pid): A | undefined {
    return this.#kept.get(pid);
  }

  /** One whose end is dealt with, be it real or only said of it. */
  remove(pid: Pid): void {
    const child = processOf(pid);
    if (child !== undefined) this.removeMarked(child);
    this.#kept.delete(pid);
  }

  /** One with a mark that has ended, so that nothing is left to be dealt with. @returns whether it is one */
  removeMarked(child: LinkedProcess): boolean {
    if (!this.#marks(child)) return false;
    child.supervised = false;
    this.#marked--;
    return true;
  }

  /** The mark is no longer enough: its link is gone, or its end will be dealt with later. */
  keep(child: LinkedProcess): void {
    if (this.removeMarked(child)) this.#kept.set(child.pid, undefined);
  }

  #marks(child: LinkedProcess): boolean {
    return child.supervised && child.parent === this.#supervisor;
  }
}

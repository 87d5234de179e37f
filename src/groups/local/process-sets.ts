/** What processes have under way: a set for each that has anything, as an empty one takes 200 bytes. */
import type { Process } from "../../otp/process/process.js";

export class ProcessSets<T> {
  readonly #sets = new Map<Process, Set<T>>();

  sizeOf(process: Process): number {
    return this.#sets.get(process)?.size ?? 0;
  }

  add(process: Process, one: T): void {
    const set = this.#sets.get(process);
    if (set) set.add(one);
    else this.#sets.set(process, new Set([one]));
  }

  delete(process: Process, one: T): void {
    const set = this.#sets.get(process);
    if (set?.delete(one) && set.size === 0) this.#sets.delete(process);
  }

  of(process: Process): readonly T[] {
    return [...(this.#sets.get(process) ?? [])];
  }
}

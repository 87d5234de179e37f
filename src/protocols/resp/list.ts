/** List with two ends: a ring of slots that doubles. `unshift` of an array would move all of its elements. */

export class List {
  #slots: (Buffer | undefined)[] = new Array(8).fill(undefined);
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  #slot(index: number): number {
    return (this.#first + index) & (this.#slots.length - 1);
  }

  #makeRoom(): void {
    if (this.#size < this.#slots.length) return;
    const all = this.slice(0, this.#size);
    this.#slots = all.concat(new Array(all.length).fill(undefined));
    this.#first = 0;
  }

  pushLeft(item: Buffer): void {
    this.#makeRoom();
    this.#first = this.#slot(-1);
    this.#slots[this.#first] = item;
    this.#size++;
  }

  pushRight(item: Buffer): void {
    this.#makeRoom();
    this.#slots[this.#slot(this.#size++)] = item;
  }

  popLeft(): Buffer | undefined {
    if (this.#size === 0) return undefined;
    const at = this.#first;
    this.#first = this.#slot(1);
    this.#size--;
    return this.#take(at);
  }

  popRight(): Buffer | undefined {
    if (this.#size === 0) return undefined;
    return this.#take(this.#slot(--this.#size));
  }

  #take(slot: number): Buffer | undefined {
    const item = this.#slots[slot];
    this.#slots[slot] = undefined;
    return item;
  }

  /** @param index from 0; there is no element at a negative one */
  at(index: number): Buffer | undefined {
    return index >= 0 && index < this.#size ? this.#slots[this.#slot(index)] : undefined;
  }

  /** The elements from `start` up to, not including, `end`. */
  slice(start: number, end: number): Buffer[] {
    const items: Buffer[] = [];
    for (let index = start; index < Math.min(end, this.#size); index++) items.push(this.at(index) as Buffer);
    return items;
  }
}

/**
 * A Buffer over a part of memory: what `subarray` gives, for who has the memory at hand.
 *
 * `subarray` asks the Buffer for its memory and its offset, each time through accessors that V8 does not inline; its
 * constructor on its own costs less than half (75 and 29 ns on Node 20). Node says which constructor that is: its
 * Buffers all have the one shape, whoever makes them.
 */
type ViewConstructor = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/** `new View(memory, offset, length)`. */
export const View: ViewConstructor = constructorOfBuffers();

function constructorOfBuffers(): ViewConstructor {
  const species = (Buffer as unknown as { [Symbol.species]?: ViewConstructor })[Symbol.species];
  if (typeof species === "function" && species.prototype === Buffer.prototype) return species;
  // A constructor may give back another object than its own.
  return function view(memory: ArrayBufferLike, offset: number, length: number) {
    return Buffer.from(memory as ArrayBuffer, offset, length);
  } as unknown as ViewConstructor;
}

/** Of so few bytes a view costs more than what is done with it. */
const SMALL = 1024;

/** Views of the beginning of a memory that is used again and again, kept by their length where they are small. */
export class Beginnings {
  readonly memory: ArrayBufferLike;
  readonly #kept: (Buffer | undefined)[] = new Array(SMALL + 1);

  constructor(memory: ArrayBufferLike) {
    this.memory = memory;
  }

  /** The first `length` bytes. */
  view(length: number): Buffer {
    if (length > SMALL) return new View(this.memory, 0, length);
    return (this.#kept[length] ??= new View(this.memory, 0, length));
  }
}

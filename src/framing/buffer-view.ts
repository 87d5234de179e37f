/**
 * A Buffer over a part of memory: what `subarray` gives, for who has the memory at hand.
 *
 * `subarray` asks the Buffer for its memory and its offset, each time through accessors that V8 does not inline; its
 * constructor on its own costs less than half (75 and 29 ns on Node 20). Node says which constructor that is: its
 * Buffers all have the one shape, whoever makes them.
 */
type ViewConstructor = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/** `new BufferView(memory, offset, length)`. */
export const BufferView: ViewConstructor = constructorOfBuffers();

function constructorOfBuffers(): ViewConstructor {
  const species = (Buffer as unknown as { [Symbol.species]?: ViewConstructor })[Symbol.species];
  if (typeof species === "function" && species.prototype === Buffer.prototype) return species;
  // A constructor may give back another object than its own.
  return function view(memory: ArrayBufferLike, offset: number, length: number) {
    return Buffer.from(memory as ArrayBuffer, offset, length);
  } as unknown as ViewConstructor;
}

/** Of so few bytes, an Ethernet segment and a bit, a view costs more than what is done with it. */
const SMALL = 2048;

/** Memory that is used again and again: what is asked of it all the time, and is not free to ask, is at hand. */
export class ReusedBuffer {
  readonly buffer: Buffer;
  readonly memory: ArrayBufferLike;
  /** Where the buffer begins in the memory. */
  readonly offset: number;
  #beginnings: (Buffer | undefined)[] | undefined = undefined;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.memory = buffer.buffer;
    this.offset = buffer.byteOffset;
  }

  /**
   * A view of `length` bytes that begin at `start` in the buffer. Of its first few bytes it is the same each time:
   * not for who might keep it.
   */
  view(start: number, length: number): Buffer {
    if (start > 0 || length > SMALL) return new BufferView(this.memory, this.offset + start, length);
    this.#beginnings ??= new Array(SMALL + 1);
    return (this.#beginnings[length] ??= new BufferView(this.memory, this.offset, length));
  }
}

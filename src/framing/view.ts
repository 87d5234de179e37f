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

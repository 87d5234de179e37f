// Random inputs: pieces of the grammar, and random bytes, joined and mutated.

import type { Random } from "./random.js";

const MAX_PIECES = 6;
/** Ten times the limit of most targets. */
export const MAX_LENGTH = 2000;

export function makeInput(random: Random, pieces: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (let count = 1 + random.below(MAX_PIECES); count > 0; count--) {
    parts.push(random.below(12) === 0 ? randomBytes(random, random.below(12)) : random.pick(pieces));
  }
  let input: Buffer = Buffer.concat(parts);
  while (random.below(3) === 0 && input.length > 0) input = mutate(random, input);
  return input.subarray(0, MAX_LENGTH);
}

function randomBytes(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = random.below(256);
  return bytes;
}

function mutate(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length);
  switch (random.below(5)) {
    case 0:
      input[at] = random.below(256);
      return input;
    case 1:
      input[at] = input[at]! ^ (1 << random.below(8));
      return input;
    case 2:
      return input.subarray(0, at);
    case 3:
      return Buffer.concat([input.subarray(0, at), input.subarray(at + 1)]);
    default:
      return Buffer.concat([input.subarray(0, at), input]);
  }
}

/** Places to cut the input at, in order: few, or before every byte. */
export function makeCuts(random: Random, length: number): number[] {
  if (length === 0) return [];
  if (random.below(4) === 0) return Array.from({ length: length - 1 }, (_, i) => i + 1);
  return Array.from({ length: 1 + random.below(4) }, () => random.below(length + 1)).sort((a, b) => a - b);
}

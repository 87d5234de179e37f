// The fuzzing loop: a random target, input and cut each time, and the verdicts compared.

import { makeCuts, makeInput } from "./inputs.js";
import { Random } from "./random.js";
import type { Target } from "./targets.js";
import { verdict, type Way } from "./verdict.js";

export interface Violation {
  readonly target: string;
  readonly case: number;
  readonly input: string;
  readonly cuts: readonly number[];
  readonly way: Way;
  readonly what: string;
}

const WAYS: readonly Way[] = ["own", "kept", "borrowed"];

/** @returns the first violation; `undefined` if there is none */
export function fuzz(
  targets: readonly Target[],
  seed: number,
  cases: number,
  progress: (done: number) => void = () => {},
): Violation | undefined {
  const random = new Random(seed);
  for (let i = 0; i < cases; i++) {
    const target = random.pick(targets);
    const input = makeInput(random, target.pieces);
    const cuts = makeCuts(random, input.length);
    const way = random.pick(WAYS);
    const what = difference(target, input, cuts, way);
    if (what !== undefined)
      return { target: target.title, case: i, input: input.toString("hex"), cuts, way, what };
    if (i % 10_000 === 9999) progress(i + 1);
  }
  return undefined;
}

function difference(
  { framing, bounded }: Target,
  input: Buffer,
  cuts: readonly number[],
  way: Way,
): string | undefined {
  try {
    const edges = [0, ...cuts, input.length];
    const chunks = edges.slice(1).map((edge, k) => input.subarray(edges[k], edge));
    const whole = verdict(framing, [input], "own", bounded);
    const cut = verdict(framing, chunks, way, bounded);
    return whole === cut ? undefined : `whole:\n${whole}\ncut:\n${cut}`;
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : String(error)}`;
  }
}

// All faults, and in which order a run causes them.
import type { Random } from "../../fuzz/random.js";
import { CLIENT_FAULTS } from "./client-faults.js";
import type { Fault } from "./fault.js";
import { MEMORY_FAULTS } from "./memory-faults.js";
import { OPERATOR_FAULTS } from "./operator-faults.js";
import { PRIMARY_FAULTS } from "./primary-faults.js";
import { RESOURCE_FAULTS } from "./resource-faults.js";
import { WORKER_FAULTS } from "./worker-faults.js";

export const FAULTS: readonly Fault[] = [
  ...WORKER_FAULTS,
  ...PRIMARY_FAULTS,
  ...MEMORY_FAULTS,
  ...RESOURCE_FAULTS,
  ...CLIENT_FAULTS,
  ...OPERATOR_FAULTS,
];

/** The faults in random order, each once in a round; the same seed gives the same sequence. */
export function* sequence(random: Random, only = ""): Generator<Fault> {
  for (;;) {
    const left = FAULTS.filter(({ name }) => name.includes(only));
    while (left.length > 0) yield left.splice(random.below(left.length), 1)[0]!;
  }
}

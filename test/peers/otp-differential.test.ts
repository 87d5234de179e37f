/**
 * Our supervisors against the real ones: the same random scenarios (trees, exits, administration calls, time)
 * are played on both sides and compared event by event: starts, ends with their reasons, reports, answers.
 *
 * Time is virtual on both sides. Ours has the ManualClock; the supervisor of the installed OTP is loaded from
 * its own abstract code with `monotonic_time`, the `after` of a child's shutdown and the timer of dynamic
 * children's replaced by a clock of the test (`erl/dpatch.erl`); nothing else in it is changed.
 *
 * SEED=n repeats a run. What differs is made small, and shown with both traces.
 */
import { expect } from "vitest";
import { testWith } from "../support/peers.js";
import { compare, show, shrink } from "./differential/compare.js";
import { generate } from "./differential/generate.js";
import { Random, seed } from "./differential/random.js";

const erl = testWith("erl", "apt-get install erlang-base");
const SCENARIOS = Number(process.env.SCENARIOS ?? 2500);

erl(`${SCENARIOS} random scenarios go as they do under the real supervisor`, async () => {
  const from = seed();
  const random = new Random(from);
  const scenarios = Array.from({ length: SCENARIOS }, () => generate(random));
  const { events, differences } = await compare(scenarios);
  process.stderr.write(`differential: SEED=${from}, ${SCENARIOS} scenarios, ${events} events compared\n`);
  const [first] = differences;
  if (first) {
    const small = show(await shrink(first));
    expect.fail(
      `SEED=${from}: ${differences.length} scenarios went differently; the first, made small:\n${small}`,
    );
  }
});

/**
 * Differential test of supervisors and state machines against a real OTP: the same random scenarios run on both
 * sides and are compared event by event. Of supervisors: trees, exits, administration calls, time; who starts and
 * ends and why, reports, answers. Of machines: tables of transitions, casts, calls, signals, time; every
 * callback with its state, event and data, answers, the end.
 *
 * Time is virtual on both sides. Ours has the ManualClock; the behaviours of the installed OTP are loaded from
 * their own abstract code, in which what asks for the time asks a clock of the test (`erl/dpatch.erl`).
 *
 * SEED=n repeats a run, SCENARIOS=n sets its length. A difference is shrunk, and shown with both traces.
 */
import { expect } from "vitest";
import { testWith } from "../../support/peers.js";
import { compare, type Play, show, shrink } from "./compare.js";
import { Random, seed } from "./random.js";
import { generate as generateMachine } from "./statem/generate.js";
import { machines } from "./statem/play.js";
import { generate as generateTree } from "./supervisor/generate.js";
import { supervisors } from "./supervisor/play.js";

const erl = testWith("erl", "apt-get install erlang-base");
const SCENARIOS = Number(process.env.SCENARIOS ?? 2500);

async function run<S>(what: string, play: Play<S>, generate: (random: Random) => S): Promise<void> {
  const from = seed();
  const random = new Random(from);
  const scenarios = Array.from({ length: SCENARIOS }, () => generate(random));
  const { events, differences } = await compare(play, scenarios);
  process.stderr.write(
    `differential: SEED=${from}, ${SCENARIOS} scenarios of ${what}, ${events} events compared\n`,
  );
  const [first] = differences;
  if (first) {
    const small = show(play, await shrink(play, first));
    expect.fail(
      `SEED=${from}: ${differences.length} scenarios went differently; the first, made small:\n${small}`,
    );
  }
}

/** Milliseconds: of 20 s on a quiet machine. */
const PATIENCE = 300_000;

erl(
  `${SCENARIOS} random trees go as they do under the real supervisor`,
  () => run("supervisors", supervisors, generateTree),
  PATIENCE,
);

erl(
  `${SCENARIOS} random machines go as they do under the real gen_statem`,
  () => run("machines", machines, generateMachine),
  PATIENCE,
);

// Chaos: random faults against a loaded server. Exit code 1, and the seed, on a violation of what chaos/run.ts checks.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../src/config/exit-codes.js";
import { FAULTS } from "./chaos/faults.js";
import { chaos, type Plan } from "./chaos/run.js";

const HELP = `Usage: node scripts/run.mjs chaos [--seconds 60] [--seed N] [--only FAULT]

Random faults against a loaded server of two workers, one after the other. Linux; with root the log has a small disk.
Every client must get its reply, a FIN or a RST within 5 s, every byte be right, no total fall, and at the end
connections add up, descriptors be back and no OS process be left. The same seed gives the same sequence of faults.

Faults: ${FAULTS.map(({ name }) => name).join(", ")}.
`;

function planFrom(): Plan | undefined {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error("--seconds and --seed take a number");
  const { only = "" } = values;
  if (!FAULTS.some(({ name }) => name.includes(only))) throw new Error(`no fault is called ${only}`);
  return { seconds, seed, only };
}

async function main(): Promise<number> {
  let given: Plan | undefined;
  try {
    given = planFrom();
  } catch (error) {
    process.stderr.write(`chaos: ${(error as Error).message}\n`);
    return EXIT.usage;
  }
  if (!given) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const { seconds, seed, only } = given;
  console.log(`chaos: ${seconds} s, seed ${seed}`);
  const root = resolve(import.meta.dirname, "../..");
  const { violations, faults, recoveries, summary } = await chaos(root, given, console.log);
  console.log(`\n${recoveries}\n\n${faults} faults, ${summary}`);
  for (const violation of violations) console.error(`violation: ${violation}`);
  if (violations.length === 0) return EXIT.ok;
  console.error(
    `repeat it with: node scripts/run.mjs chaos --seconds ${seconds} --seed ${seed}${only && ` --only "${only}"`}`,
  );
  return EXIT.failed;
}

process.exitCode = await main();

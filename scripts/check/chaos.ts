// Chaos: random faults against a loaded server. Exit code 1, and the seed, on a violation of what chaos/run.ts checks.
import { resolve } from "node:path";
import { EXIT } from "../../src/config/exit-codes.js";
import { commandOf, type Plan, planOf } from "./chaos/arguments.js";
import { FAULTS } from "./chaos/faults/faults.js";
import { chaos } from "./chaos/run.js";
import { stampede } from "./chaos/stampede.js";
import { stopSignal } from "./chaos/stop-signals.js";

const HELP = `Usage: node scripts/run.mjs chaos [--seconds 60] [--seed N] [--only FAULT | --stampede]

Random faults against a loaded server of two workers, one after the other. Linux; with root the log has a small disk.
Every client must get its reply, a FIN or a RST within 5 s, every byte be right, no total fall, and at the end
connections add up, descriptors be back and no OS process be left. The same seed gives the same sequence of faults.
Where the first start takes more than 3 s, all times are as many times longer.

Ctrl-C ends a run early, with its checks and its report.

--stampede: 200 clients without pauses, a random connection killed every 10 ms, a random worker every 5 s.

Faults: ${FAULTS.map(({ name }) => name).join(", ")}.
`;

async function main(): Promise<number> {
  let plan: Plan | undefined;
  try {
    plan = planOf(process.argv.slice(2), Date.now() % 2 ** 31);
  } catch (error) {
    process.stderr.write(`chaos: ${(error as Error).message}\n`);
    return EXIT.usage;
  }
  if (!plan) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  console.log(`chaos: ${plan.seconds} s, seed ${plan.seed}`);
  const root = resolve(import.meta.dirname, "../..");
  const { violations, report } = await (plan.stampede ? stampede : chaos)(
    root,
    plan,
    console.log,
    stopSignal(),
  );
  console.log(`\n${report}`);
  for (const violation of violations) console.error(`violation: ${violation}`);
  if (violations.length === 0) return EXIT.ok;
  console.error(`repeat it with: ${commandOf(plan)}`);
  return EXIT.failed;
}

process.exitCode = await main();

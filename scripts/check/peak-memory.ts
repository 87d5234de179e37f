// Peak memory of a worker under the worst mixes of clients, beside the bound that SECURITY.md states. Exit code 1 when
// a peak is above its bound.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../../src/config/exit-codes.js";
import { peakOf, SLACK_BYTES } from "./peak-memory/measure.js";
import { MIXES } from "./peak-memory/mixes.js";

const HELP = `Usage: node scripts/run.mjs peak-memory [--only WORD]

Serves a protocol with workerInbound and workerOutbound of 64 MiB in one worker, plays one mix of clients after the
other, each with a server of its own, and prints the peak of resident memory above that of the idle worker. A peak may
be ${SLACK_BYTES / 2 ** 20} MiB above its bound: garbage that is not yet collected. Linux.

Mixes: ${MIXES.map(({ name }) => name).join("; ")}.
`;

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const mixes = MIXES.filter(({ name }) => name.includes(values.only ?? ""));
  if (mixes.length === 0) {
    process.stderr.write(`peak-memory: no mix has "${values.only}" in its name; see --help for the mixes\n`);
    return EXIT.usage;
  }
  console.log("| mix | bound | stated as | peak above idle | idle | ended |\n|---|---|---|---|---|---|");
  let violated = false;
  for (const mix of mixes) {
    const { beforeBytes, peakBytes, ended } = await peakOf(resolve(import.meta.dirname, "../.."), mix);
    const above = peakBytes - beforeBytes;
    const reasons = [...ended]
      .filter(([reason]) => reason !== "normal")
      .map(([reason, count]) => `${count} ${reason}`);
    console.log(
      `| ${mix.name} | ${mib(mix.bound)} | ${mix.statedAs} | ${mib(above)} | ${mib(beforeBytes)} | ${reasons.join(", ")} |`,
    );
    violated ||= above > mix.bound + SLACK_BYTES;
  }
  return violated ? EXIT.failed : EXIT.ok;
}

process.exitCode = await main();

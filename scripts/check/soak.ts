// Soak: hours of mixed load, and what drifts: memory, descriptors, timers, p99, counters. Exit code 1 when a bar is passed.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../../src/config/exit-codes.js";
import { stopSignal } from "./chaos/stop-signals.js";
import { page } from "./soak/page.js";
import { soak } from "./soak/run.js";
import type { Figures } from "./soak/trend.js";

const HELP = `Usage: node scripts/run.mjs soak [--minutes 60] [--html soak.html]

Mixed load on a server of two workers, without faults. Fails when a worker's memory grows by more than 1 MiB an hour
after the warm-up or p99 grows by a quarter (both in runs of 30 minutes and more), when descriptors or timers rise, or
on a wrong byte, a hang, a lost connection or a total that falls. --html writes the charts, anew after every sample.
Ctrl-C ends a soak early, with what it has found.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: "string" }, html: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const minutes = Number(values.minutes ?? 60);
  if (!(minutes > 0)) {
    process.stderr.write("soak: --minutes takes a number\n");
    return EXIT.usage;
  }
  console.log(`soak: ${minutes} minutes`);
  const root = resolve(import.meta.dirname, "../..");
  // After every sample, so that a run that is cut off leaves its charts.
  const show = (figures: Figures) =>
    values.html && writeFileSync(values.html, page(`soak of ${minutes} minutes`, figures));
  const { lines, violations } = await soak(root, minutes * 60, console.log, show, stopSignal());
  console.log(lines.join("\n"));
  for (const violation of violations) console.error(`violation: ${violation}`);
  return violations.length > 0 ? EXIT.failed : EXIT.ok;
}

process.exitCode = await main();

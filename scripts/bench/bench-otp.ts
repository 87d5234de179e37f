// node scripts/run.mjs bench-otp [--json] [--rounds N]: speed and memory of drover's processes, compared with xstate and
// nact in one run. Exit code 1 when a target is missed.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { drover } from "./otp/drover.js";
import { MEASURES, type Measure, measureAll, type Results } from "./otp/measure.js";
import { nact } from "./otp/nact.js";
import { xstate } from "./otp/xstate.js";

const COUNTS = { casts: 500_000, calls: 100_000, spawns: 50_000, bytes: 50_000 };
const TITLES: Record<Measure, string> = {
  casts: "casts/s",
  calls: "calls/s",
  spawns: "start+stop/s",
  bytes: "bytes/idle process",
};
const RATIO = 2;
const CASTS_AT_LEAST = 1_000_000;
const BYTES_AT_MOST = 700;

/** How many times better drover is than the better of the other two. */
function ratio(results: Results, what: Measure): number {
  const of = (name: string) => results[name]?.[what] ?? Number.NaN;
  const others = [of("xstate"), of("nact")];
  return what === "bytes" ? Math.min(...others) / of("drover") : of("drover") / Math.max(...others);
}

function missed(results: Results): string[] {
  const mine = results.drover;
  const slow = MEASURES.filter((what) => !(ratio(results, what) >= RATIO));
  const list = slow.map(
    (what) => `${TITLES[what]}: ${ratio(results, what).toFixed(2)} times better, target ${RATIO}`,
  );
  if (!mine || mine.casts < CASTS_AT_LEAST) list.push(`casts/s: below the target of ${CASTS_AT_LEAST}`);
  if (!mine || mine.bytes > BYTES_AT_MOST)
    list.push(`bytes/idle process: above the target of ${BYTES_AT_MOST}`);
  return list;
}

function table(results: Results): string {
  const names = Object.keys(results);
  const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(19)).join("");
  const lines = MEASURES.map((what) => {
    const cells = names.map((name) => Math.round(results[name]?.[what] ?? 0).toLocaleString("en"));
    return row([TITLES[what], ...cells, `${ratio(results, what).toFixed(2)} x`]);
  });
  return `${[row(["", ...names, "drover : better"]), ...lines].join("\n")}\n`;
}

function options(args: readonly string[]): { readonly json: boolean; readonly rounds: number } {
  const at = args.indexOf("--rounds");
  return { json: args.includes("--json"), rounds: at === -1 ? 5 : Number(args[at + 1]) };
}

const { json, rounds } = options(process.argv.slice(2));
// The heap is measured after a garbage collection; without one the bytes per process are meaningless.
setFlagsFromString("--expose-gc");
globalThis.gc ??= runInNewContext("gc");
const results = await measureAll([drover, xstate, nact], COUNTS, rounds);
const short = missed(results);
process.stdout.write(json ? `${JSON.stringify({ results, missed: short })}\n` : table(results));
for (const line of short) process.stderr.write(`missed: ${line}\n`);
process.exitCode = short.length === 0 ? 0 : 1;

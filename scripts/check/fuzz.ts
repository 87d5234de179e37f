// Fuzzes all decoders and the parser of PROXY headers: node scripts/run.mjs fuzz [CASES] [SEED] [TARGET]. Prints rate, memory and seed; exit code 1 on
// a violation: a decoder that throws anything but a FramingError, or whose frames depend on how the input is cut or on
// memory that is used again.

import { fuzz } from "./fuzz/run.js";
import { TARGETS } from "./fuzz/targets.js";

const [casesGiven = "100000", seedGiven = String(Date.now() % 2 ** 31), only] = process.argv.slice(2);
const [cases, seed] = [casesGiven, seedGiven].map((text) => Number(text.replaceAll("_", ""))) as [
  number,
  number,
];
const targets = TARGETS.filter(({ title }) => only === undefined || title.includes(only));
if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed) || targets.length === 0) {
  console.error(`usage: node scripts/run.mjs fuzz [CASES] [SEED] [TARGET]
TARGET: part of ${TARGETS.map(({ title }) => title).join(", ")}`);
  process.exit(64);
}

const megabytes = () => `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`;
const started = performance.now();
const step = Math.max(10_000, Math.floor(cases / 10 / 10_000) * 10_000);
console.log(`fuzz: ${cases} cases, seed ${seed}, ${targets.length} decoders, rss ${megabytes()}`);
const violation = fuzz(targets, seed, cases, (done) => {
  if (done % step !== 0) return;
  const rate = Math.round(done / ((performance.now() - started) / 1000));
  console.log(`${done} cases, ${rate} a second, rss ${megabytes()}`);
});
if (violation !== undefined) {
  console.error(JSON.stringify(violation, null, 2));
  console.error(
    `violation: repeat it with node scripts/run.mjs fuzz ${cases} ${seed}${only ? ` "${only}"` : ""}`,
  );
  process.exit(1);
}
const seconds = (performance.now() - started) / 1000;
console.log(`no violation: ${cases} cases in ${seconds.toFixed(1)} s, seed ${seed}, rss ${megabytes()}`);

// Prints the ten slowest test files of several vitest runs, and the tests that failed: node scripts/summary.mjs FILE,
// which summary-reporter.mjs has written.
import { readFileSync } from "node:fs";

const SHOWN = 10;
const [path] = process.argv.slice(2);
const files = readFileSync(path, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line));
files.sort((a, b) => b.seconds - a.seconds);
for (const { project, file, seconds } of files.slice(0, SHOWN))
  console.log(`${seconds.toFixed(1).padStart(7)} s  ${file} (${project})`);
for (const { project, file, failed } of files)
  for (const { title, error } of failed) console.log(` failed  ${file} (${project}) > ${title}: ${error}`);

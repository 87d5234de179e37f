// Prints the ten slowest test files of several vitest runs: node scripts/slowest.mjs FOLDER, which holds the JSON
// report of each run, named after the run.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";

const SHOWN = 10;
const [folder] = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) => {
    const { testResults } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return testResults.map(({ name: file, startTime, endTime }) => {
      return {
        run: basename(name, ".json"),
        file: relative("", file),
        seconds: (endTime - startTime) / 1_000,
      };
    });
  });
files.sort((a, b) => b.seconds - a.seconds);
for (const { run, file, seconds } of files.slice(0, SHOWN))
  console.log(`${seconds.toFixed(1).padStart(7)} s  ${file} (${run})`);

// npm run load: puts load on an echo server and tells the truth about what came back. See load/arguments.ts for
// the options. Tests call load/run.ts instead, which does the same inside their own process.
import { fileURLToPath } from "node:url";
import { helpText, parseArguments, type Settings, UsageError } from "./load/arguments.js";
import { serveAsGenerator } from "./load/generator.js";
import { GENERATOR } from "./load/messages.js";
import { runProcesses } from "./load/processes.js";
import { json, progressLine, table } from "./load/report.js";
import { errorTotal, type LoadResult, type Progress } from "./load/result.js";
import { runLoad } from "./load/run.js";

const EXIT = { ok: 0, errors: 1, usage: 64, interrupted: 130 };

async function main(args: string[]): Promise<number> {
  const settings = settingsFrom(args);
  if (typeof settings === "number") return settings;
  // The reader of a pipe may leave before the end; the exit code still counts.
  process.stdout.on("error", () => {});
  const result = await run(settings);
  process.stdout.write(settings.json ? json(result, settings) : table(result, settings));
  return errorTotal(result.tally) === 0 ? EXIT.ok : EXIT.errors;
}

function settingsFrom(args: string[]): Settings | number {
  try {
    const settings = parseArguments(args);
    if (settings) return settings;
    process.stdout.write(helpText());
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`load: ${error.message}\n`);
    return EXIT.usage;
  }
}

async function run({ load, processes }: Settings): Promise<LoadResult> {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const onProgress = (progress: Progress) => void process.stderr.write(progressLine(progress));
  const options = { ...load, signal: stop.signal, onProgress: process.stderr.isTTY ? onProgress : undefined };
  if (processes === 1) return runLoad(options);
  return runProcesses(fileURLToPath(import.meta.url), processes, options);
}

if (process.argv[2] === GENERATOR && process.send) serveAsGenerator();
else process.exitCode = await main(process.argv.slice(2));

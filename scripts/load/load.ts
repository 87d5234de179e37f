// npm run load: load generator for an echo server. Options: load/command-line/flags.ts. Tests call
// load/generator/run.ts instead, which runs the same load inside their own process.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EXIT } from "../../src/config/exit-codes.js";
import { GENERATOR } from "./both-sides/messages.js";
import { helpText, parseArguments, type Settings, UsageError } from "./command-line/arguments.js";
import { explain } from "./command-line/expectations.js";
import { runSession, type SessionOptions } from "./coordinator/session.js";
import { runGeneratorProcess } from "./generator/process.js";
import { html } from "./report/html.js";
import { json, passed } from "./report/json.js";
import { openingLine, progressLine, table, unitOf } from "./report/table.js";

async function main(args: string[]): Promise<number> {
  const settings = settingsFrom(args);
  if (typeof settings === "number") return settings;
  // The reader of a pipe may close it before the end; the exit code must still be right.
  process.stdout.on("error", () => {});
  const command = `npm run load -- ${args.map(quoted).join(" ")}`.trim();
  const options = {
    entry: fileURLToPath(import.meta.url),
    command,
    signal: interrupted(),
    ...progress(settings),
  };
  const report = await runSession(settings, options).catch((error: Error) => {
    process.stderr.write(`load: ${error.message}\n`);
  });
  if (!report) return EXIT.unavailable;
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  if (settings.html) writeFileSync(settings.html, html(report));
  process.stdout.write(settings.json ? json(report) : table(report));
  for (const verdict of report.verdicts)
    if (!verdict.held) process.stderr.write(`load: ${explain(verdict)}\n`);
  return passed(report) ? EXIT.ok : EXIT.failed;
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

function interrupted(): AbortSignal {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return stop.signal;
}

/** Progress on stderr: on a terminal one line that is overwritten, else one line per second. */
function progress(settings: Settings): Pick<SessionOptions, "onOpening" | "onPoint"> {
  const unit = unitOf(settings);
  const [before, after] = process.stderr.isTTY ? ["\r\u001b[K", ""] : ["", "\n"];
  const say = (line: string) => void process.stderr.write(`${before}${line}${after}`);
  return {
    onOpening: (opened) => say(openingLine(opened, settings)),
    onPoint: (point) => say(progressLine(point, unit)),
  };
}

function quoted(argument: string): string {
  return /^[\w./:=,@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

if (process.argv[2] === GENERATOR && process.send) runGeneratorProcess();
else process.exitCode = await main(process.argv.slice(2));

/**
 * An OS process that does nothing but log, to be given all sorts of standard outputs. What it has seen it
 * says on standard error, as JSON.
 */
import { supervisorReports } from "../../src/otp/events.js";
import { openLog } from "../../src/telemetry/log/log.js";
import { killed } from "./samples.js";

const [task = "", file] = process.argv.slice(2);
const log = openLog({ level: "debug", format: "json", worker: 1, name: "program", file });

const TASKS: Readonly<Record<string, () => void>> = {
  // What a supervisor that gives up does, with nothing in between.
  "give up": () => {
    supervisorReports.publish({
      ...killed,
      errorContext: "shutdown",
      reason: "reached_max_restart_intensity",
    });
    process.exit(70);
  },
  // Far more than any pipe takes, over many turns, and a look at how long each turn was.
  chatter: () => chatter(20, 20),
  flood: () => chatter(100, 500),
  // More at once than may wait, and then time for a reader.
  burst: () => chatter(20, 1, 50, 10_000),
};

function chatter(turns: number, linesPerTurn: number, every = 5, first = 0): void {
  say(first);
  let longest = 0;
  let turn = 0;
  let before = performance.now();
  const timer = setInterval(() => {
    say(linesPerTurn);
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
    if (++turn < turns) return;
    clearInterval(timer);
    const { dropped } = log;
    log.close();
    const memory = process.memoryUsage().rss;
    process.stderr.write(
      JSON.stringify({ dropped, atEnd: log.dropped, longest, memory, lines: first + turns * linesPerTurn }),
      () => process.exit(0),
    );
  }, every);
}

function say(lines: number): void {
  for (let n = 0; n < lines; n++) log.debug(`line ${n}`, { padding: "x".repeat(200) });
}

TASKS[task]?.();

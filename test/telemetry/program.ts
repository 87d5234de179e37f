/**
 * An OS process that does nothing but log, to be given all sorts of standard outputs. What it has seen it
 * says on standard error, as JSON.
 */
import { existsSync, readFileSync } from "node:fs";
import { supervisorReports } from "../../src/otp/events.js";
import { openLog } from "../../src/telemetry/log/log.js";
import { killed } from "./samples.js";

const [task = "", file] = process.argv.slice(2);
/** What a reader of standard output has copied there. */
const read = process.env.READ ?? "";
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
  // Until the reader has read all of it.
  patient: () => chatter(20, 20, { until: (text) => text.split("\n").length > 400 }),
  // More at once than may wait, and then time for a reader.
  burst: () => chatter(20, 1, { first: 10_000, until: (text) => text.includes('"lost":') }),
};

interface Chatter {
  /** Lines before the first turn. */
  readonly first?: number;
  /** Whether what was read is enough to end. */
  until?(text: string): boolean;
}

function chatter(turns: number, linesPerTurn: number, { first = 0, until }: Chatter = {}): void {
  say(first);
  let longest = 0;
  let turn = 0;
  let before = performance.now();
  const timer = setInterval(() => {
    if (turn < turns) say(linesPerTurn);
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
    if (++turn < turns || (until && !(existsSync(read) && until(readFileSync(read, "utf8"))))) return;
    clearInterval(timer);
    const { dropped } = log;
    log.close();
    const memory = process.memoryUsage().rss;
    process.stderr.write(
      JSON.stringify({ dropped, atEnd: log.dropped, longest, memory, lines: first + turns * linesPerTurn }),
      () => process.exit(0),
    );
  }, 5);
}

function say(lines: number): void {
  for (let n = 0; n < lines; n++) log.debug(`line ${n}`, { padding: "x".repeat(200) });
}

TASKS[task]?.();

// The command line: one table, from which options are read, refused and explained. A refusal is one sentence
// that says what to type instead.
import { availableParallelism } from "node:os";
import { FRAMINGS, type Framing } from "./framing.js";
import { DEFAULTS, type LoadOptions } from "./options.js";

const TABLE = {
  host: { takes: "NAME", or: DEFAULTS.host, help: "where the server listens" },
  port: { takes: "PORT", or: "2222", help: "" },
  connections: {
    takes: "N",
    or: `${DEFAULTS.connections}`,
    help: "all opened before the first frame is sent",
  },
  window: { takes: "N", or: `${DEFAULTS.window}`, help: "frames in flight on each connection" },
  size: { takes: "BYTES", or: `${DEFAULTS.size}`, help: "payload of a frame; 16k is 16384" },
  framing: { takes: "NAME", or: DEFAULTS.framing, help: Object.keys(FRAMINGS).join(", ") },
  duration: { takes: "TIME", or: "5s", help: "such as 500ms, 5s, 2m; no limit if only --frames is given" },
  frames: { takes: "N", or: "", help: "stop after so many frames, over all connections" },
  "reply-timeout": { takes: "TIME", or: "5s", help: "a connection that waits longer for an echo is hung" },
  processes: {
    takes: "N",
    or: "auto",
    help: "generator processes; auto: 1 if few connections, else up to 2",
  },
  json: { takes: "", or: "", help: "print the result as JSON" },
  help: { takes: "", or: "", help: "print this" },
} as const;

type Name = keyof typeof TABLE;
const NAMES = Object.keys(TABLE) as Name[];
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 7 * 24 * UNITS.h!;
const MOST_MEMORY = 2 ** 30;
/** Below this, a second process would cost the server more CPU time than it relieves the first of. */
const FEW_CONNECTIONS = 50;

export class UsageError extends Error {}

export interface Settings {
  load: LoadOptions & Required<Pick<LoadOptions, "host" | "connections" | "window" | "size" | "framing">>;
  processes: number;
  json: boolean;
}

/** Returns the settings, or undefined if help was asked for. */
export function parseArguments(args: string[]): Settings | undefined {
  const given = split(args);
  if (given.has("help")) return undefined;
  const text = (name: Name) => given.get(name) ?? TABLE[name].or;
  const framing = oneOf(text("framing"));
  const load = {
    host: text("host"),
    port: whole("port", text("port"), 1, 65_535),
    connections: whole("connections", text("connections"), 1, 1_000_000),
    window: whole("window", text("window"), 1, 65_536),
    size: fitting(framing, whole("size", text("size"), 0, 2 ** 31)),
    framing,
    durationMs:
      given.has("frames") && !given.has("duration") ? undefined : time("duration", text("duration")),
    frames: given.has("frames") ? whole("frames", text("frames"), 1, Number.MAX_SAFE_INTEGER) : undefined,
    replyTimeoutMs: time("reply-timeout", text("reply-timeout")),
  };
  if (load.connections * load.window * (load.size + 4) > MOST_MEMORY) {
    throw new UsageError(
      "connections x window x size is over 1 GiB of frames in flight: type a smaller --window",
    );
  }
  return { load, processes: processes(text("processes"), load.connections), json: given.has("json") };
}

function split(args: string[]): Map<Name, string> {
  const given = new Map<Name, string>();
  for (let i = 0; i < args.length; i++) {
    const [, flag = "", attached] = /^--([^=]*)(?:=(.*))?$/s.exec(args[i]!) ?? [];
    const name = args[i] === "-h" ? "help" : NAMES.find((known) => known === flag);
    if (!name) throw new UsageError(unknown(args[i]!));
    if (!TABLE[name].takes && attached !== undefined)
      throw new UsageError(`--${name} takes no value: type --${name}`);
    const next = TABLE[name].takes ? (attached ?? args[++i]) : "";
    if (next === undefined || next.startsWith("--")) {
      throw new UsageError(`--${name} needs a value: type --${name} ${TABLE[name].or || TABLE[name].takes}`);
    }
    given.set(name, next);
  }
  return given;
}

function unknown(argument: string): string {
  const word = argument.replace(/^-+/, "").replace(/=.*$/s, "");
  const near = NAMES.map((name) => ({ name, steps: distance(word, name) })).sort(
    (a, b) => a.steps - b.steps,
  )[0]!;
  const advice =
    near.steps <= 3 ? `did you mean --${near.name}?` : "npm run load -- --help lists all options";
  return argument.startsWith("-")
    ? `unknown option ${argument}: ${advice}`
    : `unexpected argument ${argument}: ${advice}`;
}

/** How many letters to add, drop or change (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

function whole(name: Name, text: string, least: number, most: number): number {
  const [, digits, unit = ""] = /^(\d+)([km]?)$/.exec(text) ?? [];
  const allowed = name === "size" || unit === "";
  const value = Number(digits) * (unit === "k" ? 1024 : unit === "m" ? 1024 ** 2 : 1);
  if (allowed && value >= least && value <= most) return value;
  throw new UsageError(
    `--${name} ${text} is not a whole number from ${least} to ${most}: type --${name} ${example(name)}`,
  );
}

function time(name: Name, text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number && !unit) throw new UsageError(`--${name} ${text} has no unit: type --${name} ${text}s`);
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (ms >= 1 && ms <= LONGEST_MS) return ms;
  throw new UsageError(`--${name} ${text} is not a time from 1ms to 168h: type --${name} ${example(name)}`);
}

function oneOf(text: string): Framing {
  if (Object.hasOwn(FRAMINGS, text)) return text as Framing;
  throw new UsageError(
    `--framing ${text} is unknown: type --framing with ${Object.keys(FRAMINGS).join(", ")}`,
  );
}

function fitting(framing: Framing, size: number): number {
  const { maxSize } = FRAMINGS[framing];
  if (size <= maxSize) return size;
  const other = size <= FRAMINGS.packet2.maxSize ? "packet2" : "packet4";
  const choice = size <= FRAMINGS.packet4.maxSize ? ` or --framing ${other}` : "";
  throw new UsageError(
    `--size ${size} does not fit into a ${framing} frame: type --size ${maxSize}${choice}`,
  );
}

function processes(text: string, connections: number): number {
  if (text === "auto") return connections < FEW_CONNECTIONS ? 1 : Math.min(2, availableParallelism());
  return Math.min(connections, whole("processes", text, 1, 64));
}

function example(name: Name): string {
  return TABLE[name].or || "1000";
}

export function helpText(): string {
  const rows = NAMES.map((name) => {
    const { takes, or, help } = TABLE[name];
    const standard = or && `${help ? " " : ""}(${or})`;
    return `  ${`--${name} ${takes}`.padEnd(24)}${help}${standard}`;
  });
  return [
    "npm run load -- [options]",
    "",
    "Puts load on an echo server in a closed loop and verifies every byte that comes back.",
    "",
    ...rows,
    "",
    "Ends with 0 if there was no error, 1 if there was one, 64 if it was called wrongly.",
    "Ctrl-C ends it early, with the result so far.",
    "",
  ].join("\n");
}

// Parses and checks the command line.
import { availableParallelism } from "node:os";
import { nearest } from "../../../src/config/options/suggest.js";
import { FRAMINGS, type Framing } from "../both-sides/framing.js";
import type { Target } from "../both-sides/options.js";
import { defaultRate, defaultWindow, type LoadOptions, type Mode } from "../both-sides/options.js";
import { planResources, type ResourcePlan } from "../coordinator/os-limits.js";
import { type Expectation, parseExpectations } from "./expectations.js";
import { flag, MODE_NAMES, type ModeName, NAMES, type Name } from "./flags.js";
import { address, file, mix, oneOf, source, targets, time, UsageError, whole } from "./values.js";

export { helpText } from "./flags.js";
export { UsageError } from "./values.js";

const MOST_MEMORY = 2 ** 30;
/** With fewer connections, a second process costs the server more CPU time than it saves in the generator. */
const FEW_CONNECTIONS = 50;

type Known = "mode" | "host" | "connections" | "window" | "size" | "framing" | "warmupMs";

export interface Settings {
  mode: ModeName;
  load: LoadOptions & Required<Pick<LoadOptions, Known>> & { targets: Target[] };
  processes: number;
  json: boolean;
  html: string | undefined;
  admin: string | undefined;
  expect: Expectation[];
  ramp: { from: number; until: Expectation[] };
  /** Decisions made here that the user did not ask for, as text. */
  notes: string[];
}

/** Returns the settings, or undefined if help was asked for. */
export function parseArguments(args: string[]): Settings | undefined {
  const given = split(args);
  if (given.has("help")) return undefined;
  const text = (name: Name) => given.get(name) ?? flag(name).or;
  const mode = oneOf("mode", text("mode"), MODE_NAMES);
  refuseOtherModes(given, mode);
  const load = loadOf(given, text, mode);
  const room = planResources(load.connections, load.targets, load.source);
  if (load.connections * load.window * (load.size + 4) > MOST_MEMORY) {
    throw new UsageError("connections x window x size exceeds 1 GiB of frames in flight: lower --window");
  }
  return {
    mode,
    load: { ...load, source: room.source },
    processes: processes(text("processes"), load.connections, room),
    json: given.has("json"),
    html: given.get("html"),
    admin: given.has("admin") ? address("admin", text("admin")) : undefined,
    expect: given.has("expect") ? parseExpectations("expect", text("expect")) : [],
    ramp: {
      from: whole("from", text("from"), 1, 100_000_000),
      until: parseExpectations("until", text("until")),
    },
    notes: room.notes,
  };
}

function loadOf(given: Map<Name, string>, text: (name: Name) => string, name: ModeName): Settings["load"] {
  const mode: Mode = name === "ramp" ? "rate" : name;
  const framing = oneOf("framing", text("framing"), Object.keys(FRAMINGS) as Framing[]);
  const size = fitting("size", framing, whole("size", text("size"), 0, 2 ** 31));
  const byFrames = given.has("frames") && !given.has("duration");
  const to = given.has("target")
    ? targets(text("target"))
    : [{ host: text("host"), port: whole("port", text("port"), 1, 65_535) }];
  if (name === "rate" && !given.has("rate"))
    throw new UsageError("--mode rate needs a rate: type --rate 1000");
  const connections = whole("connections", text("connections"), 1, 1_000_000);
  const shares = given.has("mix") ? mix(text("mix")) : undefined;
  return {
    mode,
    ...to[0]!,
    targets: to,
    connections,
    window: given.has("window") ? whole("window", text("window"), 1, 65_536) : defaultWindow(mode, size),
    size,
    bulkSize: bulkSize(given, framing),
    framing,
    rate: given.has("rate")
      ? whole("rate", text("rate"), 1, 100_000_000)
      : defaultRate(mode, connections, shares),
    echo: !given.has("no-echo"),
    reset: given.has("reset"),
    mix: shares,
    warmupMs: given.has("frames") && !given.has("warmup") ? 0 : time("warmup", text("warmup"), 0),
    durationMs: byFrames ? undefined : time("duration", text("duration")),
    frames: given.has("frames") ? whole("frames", text("frames"), 1, Number.MAX_SAFE_INTEGER) : undefined,
    replyTimeoutMs: time("reply-timeout", text("reply-timeout")),
    connectTimeoutMs: time("connect-timeout", text("connect-timeout")),
    source: given.has("source") ? source(text("source")) : undefined,
    tls: tls(given),
    proxy: given.has("proxy") ? (oneOf("proxy", text("proxy"), ["v1", "v2"]) === "v1" ? 1 : 2) : undefined,
  };
}

function split(args: string[]): Map<Name, string> {
  const given = new Map<Name, string>();
  for (let i = 0; i < args.length; i++) {
    const [, word = "", attached] = /^--([^=]*)(?:=(.*))?$/s.exec(args[i]!) ?? [];
    const name = args[i] === "-h" ? "help" : NAMES.find((known) => known === word);
    if (!name) throw new UsageError(unknown(args[i]!));
    const { takes, or } = flag(name);
    if (!takes && attached !== undefined) throw new UsageError(`--${name} takes no value: type --${name}`);
    const next = takes ? (attached ?? args[++i]) : "";
    if (next === undefined || next.startsWith("--")) {
      throw new UsageError(`--${name} needs a value: type --${name} ${or || takes}`);
    }
    given.set(name, next);
  }
  return given;
}

function refuseOtherModes(given: Map<Name, string>, mode: ModeName): void {
  for (const name of given.keys()) {
    const { modes } = flag(name);
    if (modes && !modes.includes(mode)) {
      throw new UsageError(
        `--${name} has no effect in mode ${mode}: type --mode ${modes.join(" or --mode ")}`,
      );
    }
  }
}

function unknown(argument: string): string {
  const near = nearest(argument.replace(/^-+/, "").replace(/=.*$/s, ""), NAMES);
  const advice = near ? `did you mean --${near}?` : "npm run load -- --help lists all options";
  return argument.startsWith("-")
    ? `unknown option ${argument}: ${advice}`
    : `unexpected argument ${argument}: ${advice}`;
}

function fitting(name: Name, framing: Framing, size: number): number {
  const { maxSize } = FRAMINGS[framing];
  if (framing === "raw" && size === 0)
    throw new UsageError(`--${name} 0 is an empty frame with --framing raw: type --${name} 64`);
  if (size <= maxSize) return size;
  const other = size <= FRAMINGS.packet2.maxSize ? "packet2" : "packet4";
  const choice = size <= FRAMINGS.packet4.maxSize ? ` or --framing ${other}` : "";
  throw new UsageError(
    `--${name} ${size} does not fit into a ${framing} frame: type --${name} ${maxSize}${choice}`,
  );
}

/** The default is lowered to the framing's limit; an explicit value is refused. */
function bulkSize(given: Map<Name, string>, framing: Framing): number {
  const asked = given.get("bulk-size");
  if (asked === undefined) return Math.min(16_384, FRAMINGS[framing].maxSize);
  return fitting("bulk-size", framing, whole("bulk-size", asked, 1, 2 ** 26));
}

function tls(given: Map<Name, string>): Settings["load"]["tls"] {
  if (!given.has("tls")) {
    const idle = (["ca", "insecure"] as const).find((name) => given.has(name));
    if (idle) throw new UsageError(`--${idle} needs TLS: type --tls --${idle}`);
    return undefined;
  }
  if (given.has("reset")) throw new UsageError("--reset does not work with --tls: remove --reset");
  const ca = given.get("ca");
  return { ca: ca && file("ca", ca), verify: !given.has("insecure") };
}

function processes(text: string, connections: number, room: ResourcePlan): number {
  if (text !== "auto") {
    const asked = Math.min(connections, whole("processes", text, 1, 64));
    if (asked >= room.processes) return asked;
    throw new UsageError(
      `--processes ${asked} cannot hold ${connections} connections, at ${room.perProcess} descriptors each: ` +
        `type --processes ${room.processes}, or raise \`ulimit -Hn\``,
    );
  }
  return Math.max(room.processes, connections < FEW_CONNECTIONS ? 1 : Math.min(2, availableParallelism()));
}

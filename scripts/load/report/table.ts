// Text output of a run: the progress lines and the final table.
import { KIND_NAMES } from "../both-sides/client-mix.js";
import { ERROR_KINDS, ERRORS, type LoadResult, perSecond, type Tally } from "../both-sides/result.js";
import type { Settings } from "../command-line/arguments.js";
import { explain } from "../command-line/expectations.js";
import type { Step } from "../coordinator/capacity-ramp.js";
import { describe } from "../coordinator/machine.js";
import type { ServerReport } from "../coordinator/server-metrics.js";
import type { Report } from "../coordinator/session.js";
import type { Point } from "../coordinator/timeline.js";
import { generatorLimit, machineLimit } from "./bottleneck.js";
import { duration, grouped, MIB, PERCENTILES, plural } from "./format.js";

export function progressLine({ second, rate, p99, open, errors, restarts }: Point, unit: string): string {
  const columns = [
    `${Math.round(second)} s`.padStart(6),
    `${grouped(rate)} ${unit}/s`.padStart(24),
    `p99 ${p99 === undefined ? "-" : duration(p99)}`.padStart(16),
    `${grouped(open)} open`.padStart(14),
    plural(errors, "error").padStart(14),
    restarts ? plural(restarts, "restart").padStart(14) : "",
  ];
  return columns.join("");
}

/** Progress line while connections are opened. */
export function openingLine(opened: number, { load }: Settings): string {
  return `opening ${grouped(opened)} of ${plural(load.connections, "connection")}`;
}

/** What the mode counts, as a plural noun. */
export function unitOf({ mode }: Settings): string {
  return mode === "connect" ? "connections" : "frames";
}

export function table(report: Report): string {
  const { settings, result, server, steps } = report;
  const lines = [
    heading(settings),
    "",
    ...stepRows(steps, settings),
    ...rows("throughput", [throughput(report)]),
    ...rows("time", [`${(result.elapsedMs / 1_000).toFixed(2)} s`]),
    ...rows("connections", [connections(report)]),
    ...rows("frames", [frames(result)]),
    ...kindRows(report),
    ...rows("latency", latencies(report)),
    ...rows("connecting", connecting(result)),
    ...errorRows(result),
    ...rows("generator", [generator(result)]),
    ...serverRows(report, server),
    ...rows("machine", [describe(report.machine), `${Math.round(100 * report.coresBusy)} % of cores busy`]),
    ...settings.notes.flatMap((note) => rows("note", [note])),
    ...report.verdicts.flatMap((verdict) => rows(verdict.held ? "expected" : "failed", [explain(verdict)])),
    ...remarks(report).flatMap((remark) => ["", `  ${remark}`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Warnings: the generator or the machine may have limited the result. */
export function remarks({ result, settings, coresBusy }: Report): string[] {
  const limits = [generatorLimit(result, settings.load.mode), machineLimit(coresBusy, result.elapsedMs)];
  return limits.filter((remark) => remark !== undefined);
}

export function heading({ mode, load, processes, ramp }: Settings): string {
  const { targets, framing, connections, window, size, rate } = load;
  const where =
    targets.length === 1 ? `${targets[0]!.host} port ${targets[0]!.port}` : `${targets.length} targets`;
  const each = `${framing} frames of ${plural(size, "byte")}`;
  const on = plural(connections, "connection");
  const what = {
    echo: `${each}, ${window} in flight on ${on}`,
    rate: `${grouped(rate ?? 0)} ${each} per second on ${on}`,
    connect: `connect, ${load.echo ? `one echo of ${plural(size, "byte")}, ` : ""}close; ${connections} at once`,
    idle: `${on} held, ${grouped(rate ?? 0)} ${each} per second over all of them`,
    mixed: `${on} of several kinds, ${grouped(rate ?? 0)} ${each} per second by the pingers`,
    ramp: `${each} on ${on}, from ${grouped(ramp.from)} per second until ${ramp.until.map(({ text }) => text).join(", ")} fails`,
  }[mode];
  return `${where}: ${what}, from ${plural(processes, "process", "processes")}`;
}

function stepRows(steps: Step[], { ramp }: Settings): string[] {
  if (steps.length === 0) return [];
  const best = steps.findLast((step) => step.held);
  const first = steps.find((step) => !step.held);
  const asked = ramp.until.map(({ text }) => text).join(", ");
  const capacity = best ? `${grouped(best.rate)} frames/s` : `below ${grouped(ramp.from)} frames/s`;
  const limit = first?.generator ? [`(at the next step: ${first.generator})`] : [];
  const row = ({ rate, measured, p50, p99, max, held, why }: Step) =>
    `${grouped(rate).padStart(11)} due  ${grouped(measured).padStart(11)} echoed  p50 ${duration(p50).padStart(8)}  ` +
    `p99 ${duration(p99).padStart(8)}  max ${duration(max).padStart(8)}  ${held ? "passed" : why[0]}`;
  return [
    ...rows("capacity", [`${capacity} with ${asked}`, ...limit]),
    ...rows("steps", steps.map(row)),
    "",
    best ? `  At ${grouped(best.rate)} frames/s:` : "  At the first step:",
  ];
}

function throughput({ result, settings }: Report): string {
  const rate = perSecond(result);
  if (settings.mode === "connect") return `${grouped(rate)} connections/s`;
  const bytes =
    settings.mode === "mixed"
      ? ""
      : `, ${((rate * settings.load.size) / MIB).toFixed(1)} MiB/s of payload each way`;
  return `${grouped(rate)} frames/s${bytes}`;
}

function connections({ result, settings }: Report): string {
  const { opened } = result.tally;
  if (settings.mode === "connect") return `${grouped(opened)} opened`;
  if (settings.mode === "mixed")
    return `${grouped(opened)} opened, up to ${grouped(settings.load.connections)} at a time`;
  const proven =
    settings.mode === "idle" ? `, ${grouped(result.proven)} held to the end and proven by an echo` : "";
  return `${grouped(opened)} of ${grouped(settings.load.connections)} opened${proven}`;
}

function frames({ tally: { sent, echoed }, due }: LoadResult): string {
  const unanswered = sent > echoed ? `, ${grouped(sent - echoed)} unanswered` : "";
  const unsent = due > sent ? `, ${grouped(due - sent)} due but never sent` : "";
  return `${grouped(sent)} sent, ${grouped(echoed)} echoed${unanswered}${unsent}`;
}

function kindRows({ settings, result: { tally } }: Report): string[] {
  if (settings.mode !== "mixed") return [];
  const seen = KIND_NAMES.filter((kind) => tally.kinds[kind].connections > 0);
  const lines = seen.map((kind) => {
    const { connections, echoed, errors } = tally.kinds[kind];
    const cut = kind === "slow" && tally.cutOff > 0 ? `, ${grouped(tally.cutOff)} closed by the server` : "";
    return `${kind.padEnd(13)}${plural(connections, "connection")}, ${grouped(echoed)} echoed, ${plural(errors, "error")}${cut}`;
  });
  return rows("clients", lines);
}

/** From which moment to which latency is measured. */
export function latencyMeaning({ mode, load }: Settings): string {
  const begin = load.rate === undefined ? "the start of the connect" : "when a connection was due";
  const end = load.echo ? "the last byte of the echo" : "the connection";
  return {
    echo: "from when a frame was sent to the last byte of its echo",
    connect: `from ${begin} to ${end}`,
    ramp: "from when a frame was due to the last byte of its echo",
    rate: "from when a frame was due to the last byte of its echo",
    idle: "from when a frame was due to the last byte of its echo",
    mixed: "of the pingers' frames, from when they were due to the last byte of the echo",
  }[mode];
}

function latencies({ result: { latency }, settings }: Report): string[] {
  if (latency.count === 0) return ["none: no frame was echoed"];
  const names = [...PERCENTILES.map((percent) => `p${percent}`), "max", "mean"];
  const values = [
    ...PERCENTILES.map((percent) => latency.percentile(percent)),
    latency.maxMs,
    latency.meanMs,
  ];
  const width = 10;
  return [
    latencyMeaning(settings),
    names.map((name) => name.padStart(width)).join(""),
    values.map((value) => duration(value).padStart(width)).join(""),
  ];
}

function connecting({ connectLatency }: LoadResult): string[] {
  if (connectLatency.count === 0) return [];
  const [p50, p99] = [connectLatency.percentile(50), connectLatency.percentile(99)];
  return [`p50 ${duration(p50)}   p99 ${duration(p99)}   max ${duration(connectLatency.maxMs)}`];
}

export function errorCounts(tally: Tally): string[] {
  const kinds = ERROR_KINDS.filter((kind) => tally.errors[kind] > 0);
  const counts = kinds.map((kind) => `${grouped(tally.errors[kind])} ${ERRORS[kind]}`);
  if (tally.wrongBytes > 0) counts.push(`(${plural(tally.wrongBytes, "wrong byte")})`);
  return counts;
}

function errorRows({ tally }: LoadResult): string[] {
  const counts = errorCounts(tally);
  const samples = tally.samples.map(({ who, what }) => `${who}: ${what}`);
  return [...rows("errors", counts.length > 0 ? counts : ["none"]), ...rows("such as", samples)];
}

export function generator({ generators, lateness }: LoadResult): string {
  const cpus = generators.map(({ cpu }) => cpu.toFixed(2)).join(" + ");
  const late =
    lateness.count > 0
      ? `, lateness p50 ${duration(lateness.percentile(50))}, p99 ${duration(lateness.percentile(99))}`
      : "";
  return `${cpus || "no"} CPUs${late}`;
}

export function serverLine(server: ServerReport, { totals, settings }: Report): string {
  const { cpu, cpuSeconds, memoryBytes, restarts } = server;
  const { mode } = settings;
  const count = mode === "connect" ? totals.visits : totals.echoed;
  const each = ((cpuSeconds * 1e6) / Math.max(1, count)).toFixed(2);
  // No cost per frame in mode idle, where most CPU time is not for frames, nor in mode mixed with its two frame sizes.
  const cost =
    mode === "idle" || mode === "mixed" || count === 0
      ? ""
      : `, ${each} µs per ${unitOf(settings).slice(0, -1)}`;
  // Of a ramp, only the cost per frame is comparable between steps.
  const used = mode === "ramp" ? `${each} µs per frame` : `${cpu.toFixed(2)} CPUs${cost}`;
  return `${used}, maximum ${grouped(memoryBytes / MIB)} MiB, ${plural(restarts, "restart")}`;
}

/** Whether server and generator counted the same. */
export function agreement(
  { accepted, framesReceived, framesSent, restarts }: ServerReport,
  totals: Tally,
): string {
  const pairs: [string, number, number][] = [
    ["connections", accepted, totals.opened],
    ["frames received", framesReceived, totals.sent],
    ["frames sent", framesSent, totals.echoed],
  ];
  const apart = pairs.filter(([, theirs, ours]) => theirs !== ours);
  if (apart.length === 0) return "server and generator agree on connections and frames";
  const differences = apart.map(
    ([what, theirs, ours]) => `${what} ${grouped(theirs)} by the server, ${grouped(ours)} by the generator`,
  );
  const why = restarts > 0 ? " (a worker that is killed loses the counts of its last second)" : "";
  return `counts differ: ${differences.join("; ")}${why}`;
}

function serverRows(report: Report, server: ServerReport | undefined): string[] {
  if (!server) return [];
  return [
    ...rows("server", [serverLine(server, report)]),
    ...rows("counts", [agreement(server, report.totals)]),
  ];
}

function rows(name: string, texts: string[]): string[] {
  return texts.map((text, i) => `  ${(i === 0 ? name : "").padEnd(14)}${text}`);
}

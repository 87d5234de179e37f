// What a person, or a program, gets to read of a run.
import type { Settings } from "./arguments.js";
import { ERROR_KINDS, ERRORS, errorTotal, type LoadResult, type Progress } from "./result.js";

const PERCENTILES = [50, 90, 99, 99.9];
const MIB = 2 ** 20;
/** From here on the figures are the generator's as much as the server's, if it ran for long enough to tell. */
const TOO_BUSY = 0.95;
const TOO_SHORT_MS = 500;

export function progressLine(progress: Progress): string {
  const { elapsedMs, intervalMs, frames, latency, tally } = progress;
  const columns = [
    `${Math.round(elapsedMs / 1_000)} s`.padStart(6),
    `${grouped((frames * 1_000) / intervalMs)} frames/s`.padStart(20),
    `p99 ${latency.count > 0 ? duration(latency.percentile(99)) : "-"}`.padStart(16),
    `${grouped(tally.open)} open`.padStart(14),
    plural(errorTotal(tally), "error").padStart(14),
  ];
  return `${columns.join("")}\n`;
}

export function table(result: LoadResult, settings: Settings): string {
  const lines = [
    heading(settings),
    "",
    ...rows("throughput", [throughput(result, settings.load.size)]),
    ...rows("time", [`${(result.elapsedMs / 1_000).toFixed(2)} s`]),
    ...rows("connections", [
      `${grouped(result.tally.opened)} of ${grouped(settings.load.connections)} opened`,
    ]),
    ...rows("frames", [frames(result)]),
    ...rows("latency", [latencies(result)]),
    ...errorRows(result),
  ];
  if (result.busy > TOO_BUSY && result.elapsedMs > TOO_SHORT_MS) lines.push("", busyNote(result.busy));
  return `${lines.join("\n")}\n`;
}

function heading({ load, processes }: Settings): string {
  const { host, port, framing, connections, window, size } = load;
  const what = `${framing} frames of ${plural(size, "byte")}, ${window} in flight on ${plural(connections, "connection")}`;
  return `${host} port ${port}: ${what}, from ${processes === 1 ? "one process" : `${processes} processes`}`;
}

function throughput(result: LoadResult, size: number): string {
  const rate = perSecond(result);
  return `${grouped(rate)} frames/s, ${((rate * size) / MIB).toFixed(1)} MiB/s of payload each way`;
}

function frames({ tally: { sent, echoed } }: LoadResult): string {
  const unanswered = sent > echoed ? `, ${grouped(sent - echoed)} unanswered` : "";
  return `${grouped(sent)} sent, ${grouped(echoed)} echoed${unanswered}`;
}

function latencies({ latency }: LoadResult): string {
  if (latency.count === 0) return "nothing was echoed";
  const shown = PERCENTILES.map((percent) => `p${percent} ${duration(latency.percentile(percent))}`);
  return [...shown, `max ${duration(latency.maxMs)}`].join("   ");
}

function errorRows({ tally }: LoadResult): string[] {
  const kinds = ERROR_KINDS.filter((kind) => tally.errors[kind] > 0);
  const counts = kinds.map((kind) => `${grouped(tally.errors[kind])} ${ERRORS[kind]}`);
  if (tally.wrongBytes > 0) counts.push(`(${plural(tally.wrongBytes, "wrong byte")})`);
  const samples = tally.samples.map(({ who, what }) => `${who}: ${what}`);
  return [...rows("errors", counts.length > 0 ? counts : ["none"]), ...rows("such as", samples)];
}

function busyNote(busy: number): string {
  const percent = Math.round(busy * 100);
  return `  The generator was busy ${percent} % of the time and may be what limits these figures: try more --processes.`;
}

export function json(result: LoadResult, settings: Settings): string {
  const { tally, latency } = result;
  const rate = perSecond(result);
  const { opened, sent, echoed, wrongBytes, errors, samples } = tally;
  const percentiles = PERCENTILES.map((percent) => [`p${percent}`, latency.percentile(percent)]);
  const value = {
    ok: errorTotal(tally) === 0,
    options: { ...settings.load, processes: settings.processes },
    elapsedMs: result.elapsedMs,
    throughput: { framesPerSecond: rate, payloadBytesPerSecond: rate * settings.load.size },
    frames: { sent, echoed, measured: result.measured },
    connections: { asked: settings.load.connections, opened },
    latencyMs: { ...Object.fromEntries(percentiles), max: latency.maxMs },
    errors: { total: errorTotal(tally), ...errors },
    wrongBytes,
    samples,
    generatorBusy: result.busy,
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function perSecond({ measured, elapsedMs }: LoadResult): number {
  return elapsedMs > 0 ? (measured * 1_000) / elapsedMs : 0;
}

function rows(name: string, texts: string[]): string[] {
  return texts.map((text, i) => `  ${(i === 0 ? name : "").padEnd(14)}${text}`);
}

function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function duration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  return ms < 1_000 ? `${ms.toPrecision(3)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

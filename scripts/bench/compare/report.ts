// Results of the benchmark as a Markdown table and as an SVG chart, both made from the JSON alone.
import { escaped } from "../../chart/line-chart.js";
import { describe, type Machine } from "../../load/coordinator/machine.js";
import { duration, grouped } from "../../load/report/format.js";
import { LOADS, type Row } from "./measure.js";

export interface Outcome {
  date: string;
  command: string;
  machine: Machine;
  version: string;
  erlang: string | undefined;
  rounds: number;
  seconds: number;
  servers: { name: string; about: string }[];
  rows: Row[];
  idle: { connections: number; bytes: Record<string, number> };
}

interface Panel {
  title: string;
  about: string;
  unit: string;
  bars: { name: string; value: number }[];
}

export function markdown(outcome: Outcome): string {
  const names = outcome.servers.map(({ name }) => name);
  const head = ["load", "", ...names, ...names.slice(1).map((name) => `${names[0]} / ${name}`)];
  const lines = [
    row(head),
    row(head.map((_, i) => (i < 2 ? "---" : "--:"))),
    ...LOADS.flatMap(({ name }) => loadRows(outcome, name, names)),
    idleRow(outcome, names),
  ];
  const about = outcome.servers.map(({ name, about }) => `- **${name}**: ${about}`);
  const made =
    `${outcome.date.slice(0, 10)}, ${describe(outcome.machine)}, drover ${outcome.version}` +
    `${outcome.erlang ? `, Erlang/OTP ${outcome.erlang}` : ""}; ` +
    `medians of ${outcome.rounds} rounds of ${outcome.seconds} s, servers in turn. Command: \`${outcome.command}\``;
  return [...lines, "", made, "", ...about].join("\n");
}

function loadRows({ rows }: Outcome, load: string, names: string[]): string[] {
  const of = (name: string) => rows.find((one) => one.load === load && one.server === name);
  const first = of(names[0]!);
  if (!first) return [];
  const all = names.map((name) => of(name)!);
  const ratio = ({ cpuUs }: Row) => `${(first.cpuUs.median / cpuUs.median).toFixed(2)}`;
  const blank = names.slice(1).map(() => "");
  const bad = all.some(({ errors }) => errors > 0)
    ? [row(["", "errors", ...all.map(({ errors }) => `${errors}`), ...blank])]
    : [];
  return [
    row([
      `**${load}**`,
      "CPU µs each",
      ...all.map(({ cpuUs }) => micro(cpuUs.median)),
      ...all.slice(1).map(ratio),
    ]),
    row(["", "a second", ...all.map(({ perSecond }) => grouped(perSecond)), ...blank]),
    row([
      "",
      "p50 / p99",
      ...all.map(({ p50Ms, p99Ms }) => `${duration(p50Ms)} / ${duration(p99Ms)}`),
      ...blank,
    ]),
    ...bad,
  ];
}

function idleRow({ idle }: Outcome, names: string[]): string {
  const first = idle.bytes[names[0]!]!;
  const ratios = names.slice(1).map((name) => (first / idle.bytes[name]!).toFixed(2));
  return row(["**idle**", "bytes each", ...names.map((name) => grouped(idle.bytes[name]!)), ...ratios]);
}

function row(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function micro(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

const WIDTH = 860;
const COLUMNS = 2;
const PANEL_WIDTH = WIDTH / COLUMNS;
const BAR = 22;
const NAME_WIDTH = 104;
const VALUE_WIDTH = 74;
const HEAD = 44;

export function drawing(outcome: Outcome): string {
  const panels = panelsOf(outcome);
  const panelHeight = HEAD + outcome.servers.length * BAR + 22;
  const height = 64 + Math.ceil(panels.length / COLUMNS) * panelHeight;
  const drawn = panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL_WIDTH, 58 + Math.floor(i / COLUMNS) * panelHeight];
    return `<g transform="translate(${x + 16} ${y})">${panelBody(panel)}</g>`;
  });
  const label = `CPU time per frame and memory per connection, drover compared with ${outcome.servers
    .slice(1)
    .map(({ name }) => name)
    .join(", ")}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(label)}">
<style>
.paper { fill: #ffffff; } text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1c1d21; }
.title { font-size: 17px; font-weight: 650; } .head { font-weight: 650; } .quiet { fill: #5c5f68; font-size: 12px; }
.other { fill: #b9bfc9; } .ours { fill: #1f6fb2; }
@media (prefers-color-scheme: dark) { .paper { fill: #16171a; } text { fill: #e9eaec; } .quiet { fill: #a3a7b0; } .other { fill: #4b505a; } .ours { fill: #6db3f2; } }
</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
<text class="title" x="16" y="28">CPU time per frame, memory per connection</text>
<text class="quiet" x="16" y="46">Shorter is better. ${escaped(`${outcome.date.slice(0, 10)}, ${describe(outcome.machine)}, medians of ${outcome.rounds} rounds`)}</text>
${drawn.join("\n")}
</svg>
`;
}

function panelsOf({ rows, idle, servers }: Outcome): Panel[] {
  const loads = LOADS.filter(({ name }) => rows.some(({ load }) => load === name)).map(({ name, about }) => ({
    title: name,
    about,
    unit: "µs",
    bars: rows
      .filter(({ load }) => load === name)
      .map(({ server, cpuUs }) => ({ name: server, value: cpuUs.median })),
  }));
  const bars = servers.map(({ name }) => ({ name, value: idle.bytes[name]! }));
  return [
    ...loads,
    {
      title: "idle",
      about: `per connection, ${grouped(idle.connections)} of them idle`,
      unit: "bytes",
      bars,
    },
  ];
}

function panelBody({ title, about, unit, bars }: Panel): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const room = PANEL_WIDTH - 32 - NAME_WIDTH - VALUE_WIDTH;
  const what = unit === "µs" ? "CPU time" : "memory";
  const lines = bars.map(({ name, value }, i) => {
    const y = HEAD + i * BAR;
    const width = Math.max(1, (value / most) * room).toFixed(1);
    const shown = unit === "µs" ? `${micro(value)} µs` : `${grouped(value)} B`;
    const kind = name.startsWith("drover") ? "ours" : "other";
    return (
      `<text x="0" y="${y + 12}">${escaped(name)}</text>` +
      `<rect class="${kind}" x="${NAME_WIDTH}" y="${y}" width="${width}" height="${BAR - 7}" rx="2"/>` +
      `<text x="${NAME_WIDTH + Number(width) + 7}" y="${y + 12}">${shown}</text>`
    );
  });
  return `<text class="head" x="0" y="16">${escaped(title)}</text><text class="quiet" x="0" y="33">${what}: ${escaped(about)}</text>${lines.join("")}`;
}

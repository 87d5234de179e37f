// The HTML report (--html): one file without scripts or external resources.
import { escaped } from "../../chart/line-chart.js";
import { ERROR_KINDS, ERRORS, errorTotal, perSecond } from "../both-sides/result.js";
import { explain } from "../command-line/expectations.js";
import { describe } from "../coordinator/machine.js";
import type { Report } from "../coordinator/session.js";
import { duration, grouped, MIB, PERCENTILES, plural } from "./format.js";
import * as charts from "./html-charts.js";
import { STYLE } from "./html-style.js";
import { passed } from "./json.js";
import {
  agreement,
  errorCounts,
  generator,
  heading,
  latencyMeaning,
  remarks,
  serverLine,
  unitOf,
} from "./table.js";

export function html(report: Report): string {
  const { settings } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Load test of ${escaped(where(report))}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escaped(title(report))}</h1>
<p>${escaped(heading(settings))}</p>
<p class="quiet">${report.startedAt.toISOString().slice(0, 16).replace("T", " ")} UTC, ${duration(report.result.elapsedMs)} measured</p>
</header>
${verdict(report)}
${figures(report)}
${steps(report)}
${latency(report)}
${timeline(report)}
${errors(report)}
${facts(report)}
</main>
</body>
</html>
`;
}

function where({ settings: { load } }: Report): string {
  return load.targets.map(({ host, port }) => `${host} port ${port}`).join(", ");
}

function title(report: Report): string {
  const best = report.steps.findLast(({ held }) => held);
  if (report.settings.mode === "ramp")
    return best ? `Capacity: ${grouped(best.rate)} frames/s` : "Capacity is below the first rate";
  if (report.settings.mode === "idle") return `${grouped(report.result.proven)} connections held`;
  return `${grouped(perSecond(report.result))} ${unitOf(report.settings)}/s`;
}

function verdict(report: Report): string {
  const { tally } = report.result;
  const good = passed(report);
  const bytes = `${grouped(tally.echoed)} frames were echoed and verified byte by byte`;
  const said =
    errorTotal(tally) === 0 ? `No errors: ${bytes}.` : `${errorCounts(tally).join(", ")}. ${bytes}.`;
  const expected = report.verdicts.map((one) => {
    return `<li>${one.held ? "✓" : "✗"} ${escaped(explain(one))}</li>`;
  });
  const list = expected.length > 0 ? `<ul>${expected.join("")}</ul>` : "";
  const notes = [...remarks(report), ...report.settings.notes].map(
    (note) => `<p class="verdict note">${escaped(note)}</p>`,
  );
  return `<div class="verdict ${good ? "good" : "bad"}"><strong>${good ? "Passed." : "Failed."}</strong> ${escaped(said)}${list}</div>
${notes.join("\n")}`;
}

function figures(report: Report): string {
  const { result, settings, server } = report;
  const { latency, tally } = result;
  const cells: [string, string, string?][] = [
    [grouped(perSecond(result)), `${unitOf(settings)} per second`],
    [duration(latency.percentile(50)), "median latency"],
    [duration(latency.percentile(99)), "p99 latency (1 in 100 is slower)"],
    [duration(latency.maxMs), "maximum latency"],
    [grouped(errorTotal(tally)), "errors"],
    [grouped(tally.opened), "connections opened"],
  ];
  if (server && settings.mode !== "ramp") cells.push([server.cpu.toFixed(2), "CPUs used by the server"]);
  if (server) cells.push([`${grouped(server.memoryBytes / MIB)} MiB`, "maximum memory of the server"]);
  return `<dl class="figures">${cells.map(([value, name]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("")}</dl>`;
}

function figure(heading: string, caption: string, drawing: string | undefined): string {
  if (!drawing) return "";
  return `<figure><h3>${escaped(heading)}</h3><figcaption>${escaped(caption)}</figcaption>${drawing}</figure>`;
}

function steps({ steps, settings }: Report): string {
  if (steps.length === 0) return "";
  const rows = steps.map(({ rate, measured, p50, p99, max, held, why }) =>
    row(
      [grouped(rate), grouped(measured), duration(p50), duration(p99), duration(max)],
      held ? "passed" : why.join("; "),
    ),
  );
  const asked = settings.ramp.until.map(({ text }) => text).join(", ");
  return `<section><h2>Capacity</h2>
<p>The rate was doubled until ${escaped(asked)} failed; then the gap between the last rate that passed and the first that failed was halved.</p>
<div class="charts">${figure("Latency at each rate", "over frames per second; logarithmic scale", charts.capacity(steps))}</div>
<details><summary>Steps as a table</summary><div class="scroll">${tableOf(["rate", "frames/s echoed", "p50", "p99", "max", "result"], rows)}</div></details></section>`;
}

function latency({ result: { latency }, settings }: Report): string {
  if (latency.count === 0) return "";
  const known = PERCENTILES.filter((percent) => percent <= charts.highestPercentile(latency.count));
  const named: [string, number][] = known.map((percent) => [`p${percent}`, latency.percentile(percent)]);
  const rows = [...named, ["max", latency.maxMs] as const, ["mean", latency.meanMs] as const].map(
    ([name, value]) => row([name, duration(value)]),
  );
  const drawn = charts.distribution(latency);
  return `<section><h2>Latency</h2>
<p>Measured ${escaped(latencyMeaning(settings))}. ${meaning(settings.load.mode)}</p>
<div class="charts">${figure("Distribution", "latency by percentile; logarithmic scale", drawn)}
${figure("Percentiles", "p99: 99 of 100 were at most this slow", tableOf(["percentile", "latency"], rows))}</div></section>`;
}

function meaning(mode: Report["settings"]["load"]["mode"]): string {
  return mode === "echo"
    ? "Closed loop: the next frame was sent only when an earlier one was echoed. While the server stalls, such a client sends less, so its percentiles are better than those of independent clients."
    : mode === "connect"
      ? ""
      : "Open loop: frames are due at fixed times. While the server stalls, all frames due are late and count as late.";
}

function timeline({ timeline, settings }: Report): string {
  if (timeline.length < 2) return "";
  const unit = unitOf(settings);
  const seen = timeline.some(({ p50 }) => p50 !== undefined);
  const drawings = [
    figure("Rate", `${unit} per second`, charts.rates(timeline, unit)),
    seen ? figure("Latency", "in each second; logarithmic scale", charts.latenciesOverTime(timeline)) : "",
    figure("Connections", "open at the end of each second", charts.connectionsOverTime(timeline)),
    figure("Server CPU", "CPUs used, as reported by the server", charts.serverCpu(timeline)),
  ];
  const restarts = timeline.reduce((sum, point) => sum + (point.restarts ?? 0), 0);
  const note =
    restarts > 0 ? `<p>${plural(restarts, "worker restart")} of the server, marked in the charts.</p>` : "";
  const cell = (ms: number | undefined) => (ms === undefined ? "–" : duration(ms));
  const rows = timeline.map(({ second, rate, p50, p99, max, open, errors, restarts = 0 }) =>
    row([
      `${second.toFixed(0)} s`,
      grouped(rate),
      cell(p50),
      cell(p99),
      cell(max),
      grouped(open),
      grouped(errors),
      `${restarts}`,
    ]),
  );
  const names = ["time", `${unit}/s`, "p50", "p99", "max", "open", "errors so far", "restarts"];
  return `<section><h2>Over time</h2>${note}
<div class="charts">${drawings.join("\n")}</div>
<details><summary>Data as a table</summary><div class="scroll">${tableOf(names, rows)}</div></details></section>`;
}

function errors({ result: { tally } }: Report): string {
  if (errorTotal(tally) === 0) return "";
  const kinds = ERROR_KINDS.filter((kind) => tally.errors[kind] > 0);
  const rows = kinds.map((kind) => row([ERRORS[kind], grouped(tally.errors[kind])]));
  const samples = tally.samples.map(({ who, what }) => `<li>${escaped(`${who}: ${what}`)}</li>`);
  return `<section><h2>Errors</h2>${tableOf(["kind", "connections"], rows)}<ul>${samples.join("")}</ul></section>`;
}

function facts(report: Report): string {
  const { result, server, machine, coresBusy, totals } = report;
  const entries: [string, string][] = [
    ["Frames", `${grouped(totals.sent)} sent, ${grouped(totals.echoed)} echoed, warm-up included`],
    ["Generator", `${plural(result.generators.length, "process", "processes")}, ${generator(result)}`],
    ...(server
      ? ([
          ["Server", serverLine(server, report)],
          ["Counts", agreement(server, totals)],
        ] as [string, string][])
      : []),
    ["Machine", `${describe(machine)}; ${Math.round(100 * coresBusy)} % of cores busy`],
  ];
  const list = entries.map(([name, text]) => `<dt>${name}</dt><dd>${escaped(text)}</dd>`).join("");
  return `<section><h2>How it was measured</h2><dl class="facts">${list}<dt>Command</dt><dd><code>${escaped(report.command)}</code></dd></dl></section>`;
}

function row(cells: string[], text?: string): string {
  const last = text === undefined ? "" : `<td class="text">${escaped(text)}</td>`;
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}${last}</tr>`;
}

function tableOf(names: string[], rows: string[]): string {
  const head = names.map((name) => `<th scope="col">${escaped(name)}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

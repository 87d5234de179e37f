// The page of a soak: one chart for each figure, one line for each OS process.
import { lineChart } from "../../chart/line-chart.js";
import { linear, span } from "../../chart/scale.js";
import type { Sample } from "./trend.js";

const COLORS = ["#2563eb", "#d97706", "#059669", "#db2777"];
const STYLE = `body{font:14px system-ui;max-width:60rem;margin:2rem auto}svg{width:100%}.series{fill:none;stroke-width:2}
.grid{stroke:#ddd}text{font:11px system-ui;fill:#555}`;

export function page(
  title: string,
  figures: ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>,
): string {
  const charts = [...figures].map(([name, lines]) => {
    const all = [...lines.values()].flat();
    const chart = lineChart({
      label: name,
      series: [...lines].map(([line, samples], i) => ({
        name: line,
        color: COLORS[i % COLORS.length]!,
        points: samples.map(({ seconds, value }) => [seconds / 60, value] as const),
      })),
      x: span(Math.max(0.1, ...all.map(({ seconds }) => seconds / 60))),
      y: linear(Math.max(...all.map(({ value }) => value))),
      formatX: (minutes) => `${Number(minutes.toFixed(1))} min`,
      formatY: (value) => `${Number(value.toFixed(1))}`,
    });
    return `<h2>${name}</h2>${chart}`;
  });
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style><h1>${title}</h1>${charts.join("\n")}`;
}

// Line charts as SVG text, without library or script. Colours are CSS variables, so that the page decides on light and
// dark. The chart is small and its letters large, so that it is readable on a phone.
import type { Scale } from "./scale.js";

export interface Series {
  name: string;
  /** A CSS colour. */
  color: string;
  /** An undefined value is a gap. */
  points: (readonly [x: number, y: number | undefined])[];
}

export interface Mark {
  x: number;
  text: string;
  color: string;
}

export interface LineChart {
  /** aria-label of the chart. */
  label: string;
  series: Series[];
  x: Scale;
  y: Scale;
  formatX(value: number): string;
  formatY(value: number): string;
  /** Vertical lines at events. */
  marks?: Mark[];
}

const WIDTH = 480;
const HEIGHT = 230;
const LEFT = 62;
const RIGHT = 14;
const TOP = 26;
const BOTTOM = 30;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

export function lineChart(chart: LineChart): string {
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.label)}">`,
    ...horizontal(chart),
    ...vertical(chart),
    ...(chart.marks ?? []).map((mark) => markLine(mark, chart)),
    ...chart.series.map((series) => line(series, chart)),
    legend(chart),
    "</svg>",
  ].join("\n");
}

function px({ x }: LineChart, value: number): string {
  return (LEFT + x.at(value) * INNER_WIDTH).toFixed(1);
}

function py({ y }: LineChart, value: number): string {
  return (TOP + (1 - Math.min(1, Math.max(0, y.at(value)))) * INNER_HEIGHT).toFixed(1);
}

function horizontal(chart: LineChart): string[] {
  return chart.y.ticks.map((tick) => {
    const y = py(chart, tick);
    const text = `<text class="tick" x="${LEFT - 8}" y="${y}" dy="0.35em" text-anchor="end">${chart.formatY(tick)}</text>`;
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>${text}`;
  });
}

function vertical(chart: LineChart): string[] {
  return chart.x.ticks.map((tick) => {
    const x = px(chart, tick);
    const bottom = TOP + INNER_HEIGHT;
    const anchor = chart.x.at(tick) > 0.95 ? "end" : "middle";
    const end = anchor === "end" ? (Number(x) + RIGHT - 2).toFixed(1) : x;
    const text = `<text class="tick" x="${end}" y="${bottom + 18}" text-anchor="${anchor}">${chart.formatX(tick)}</text>`;
    return `<line class="grid" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 5}"/>${text}`;
  });
}

function line({ points, color, name }: Series, chart: LineChart): string {
  const parts: string[] = [];
  let drawing = false;
  points.forEach(([x, y], i) => {
    if (y === undefined) {
      drawing = false;
      return;
    }
    const place = `${px(chart, x)},${py(chart, y)}`;
    // A value between two gaps would be a line of length zero: with round line caps it is drawn as a dot.
    const alone = !drawing && points[i + 1]?.[1] === undefined;
    parts.push(alone ? `M${place}h0.01` : `${drawing ? "L" : "M"}${place}`);
    drawing = true;
  });
  return `<path class="series" stroke="${color}" d="${parts.join("")}"><title>${escaped(name)}</title></path>`;
}

function markLine({ x, text, color }: Mark, chart: LineChart): string {
  const at = px(chart, x);
  const ends = `x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + INNER_HEIGHT}"`;
  return `<line class="mark" ${ends} stroke="${color}"><title>${escaped(text)}</title></line>`;
}

function legend({ series, marks = [] }: LineChart): string {
  const kinds = new Map(marks.map((mark) => [mark.text, mark.color]));
  const solid = series.map(({ name, color }) => [name, color, ""] as const);
  const dashed = [...kinds].map(([name, color]) => [name, color, ' class="mark"'] as const);
  let x = LEFT;
  const parts = [...solid, ...dashed].map(([name, color, kind]) => {
    const part =
      `<path${kind} d="M${x} 10h12" stroke="${color}" stroke-width="3"/>` +
      `<text class="key" x="${x + 17}" y="14">${escaped(name)}</text>`;
    x += 17 + name.length * 7 + 16;
    return part;
  });
  return parts.join("");
}

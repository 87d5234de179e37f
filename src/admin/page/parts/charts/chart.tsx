/** One chart over the last 15 minutes, with one or two lines. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { clockTime } from "../../../../text/clock-time.js";
import { useObservable } from "../../live/observable.js";
import { history, historyVersion } from "../../live/server-state.js";
import type { Measure } from "../../model/history.js";

export interface Line {
  readonly measure: Measure;
  readonly name: string;
}

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly text: (value: number) => string;
  /** Short format for the axis. */
  readonly short: (value: number) => string;
  /** Allowed distances between ticks. */
  readonly steps: readonly number[];
}

const HEIGHT = 104;
/** Minimum of the top of the scale, so that noise near zero looks flat. */
const LEAST = 4;

export function Chart({ title, lines, text, short, steps }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [pointed, setPointed] = useState<number | null>(null);
  const version = useObservable(historyVersion);

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const made = new uPlot(
      optionsFor(element.clientWidth, { lines, short, steps }, setPointed),
      columns(lines),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw(false, true);
    dark.addEventListener("change", redraw);
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", redraw);
      made.destroy();
    };
  }, []);
  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.setData(columns(lines), false);
    const last = history.latest()?.at ?? 0;
    made.setScale("x", { min: last - history.span, max: last });
  }, [version]);

  const now = history.latest();
  const at = pointed === null ? undefined : (plot.current?.data[0][pointed] as number | undefined);
  const pointedAt = ({ measure }: Line, index: number): number | null | undefined =>
    pointed === null
      ? now?.[measure]
      : (plot.current?.data[index + 1]?.[pointed] as number | null | undefined);
  const values = lines.map((line, index) => {
    const value = pointedAt(line, index);
    return { name: line.name, value: typeof value === "number" ? text(value) : "–" };
  });
  return (
    <figure class="chart">
      <figcaption>
        <span class="what">{title}</span>
        {values.map(({ name, value }, index) => (
          <span key={name} class={`value line-${index}`}>
            {name !== "" && <span class="name">{name}</span>} {value}
          </span>
        ))}
        {at !== undefined && <span class="at">{clockTime(at * 1000)}</span>}
      </figcaption>
      <div class="plot" ref={place} aria-hidden="true" />
    </figure>
  );
}

function columns(lines: readonly Line[]): uPlot.AlignedData {
  return history.columns(lines.map(({ measure }) => measure)) as uPlot.AlignedData;
}

/** The current value of a CSS variable, light or dark. */
function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

function optionsFor(
  width: number,
  { lines, short, steps }: Pick<Props, "lines" | "short" | "steps">,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const axis = { font: "11px system-ui, sans-serif", stroke: () => color("--muted"), ticks: { show: false } };
  const grid = { stroke: () => color("--line"), width: 1 };
  return {
    width,
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "time" }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true },
      y: { range: (_plot, _least, most) => [0, Math.max(LEAST, (most ?? 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        space: 64,
        values: (_plot, splits) => splits.map(timeOf),
      },
      { ...axis, grid, size: 58, space: 30, incrs: [...steps], values: (_plot, splits) => splits.map(short) },
    ],
    series: [
      {},
      ...lines.map((_line, index) => ({
        stroke: () => color(`--line-${index}`),
        width: 1.5,
        points: { show: false },
        // Dashed, so that both lines are visible where they coincide.
        ...(index > 0 && { dash: [4, 4] }),
        ...(lines.length === 1 && { fill: () => color("--area") }),
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

function timeOf(at: number): string {
  return clockTime(at * 1000).replace(/:00$/, "");
}

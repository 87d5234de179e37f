/** Table that fits the width of a terminal by leaving out the least important columns. */
import { escapeControls } from "../../text/escape.js";
import { cut } from "./table.js";

export interface Column {
  readonly title: string;
  /** Right-aligned, for numbers. Default: left. */
  readonly right?: boolean;
  /** Minimum width, so that the column does not move while a number changes. Default: the title's. */
  readonly width?: number;
  /** Order of omission where the width is too small, highest first. Default: never left out. */
  readonly spare?: number;
}

/**
 * Columns as wide as their widest cell, control characters escaped. The first line has the titles.
 * @param width of a line, in characters
 */
export function fittedTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const safe = [columns.map(({ title }) => title), ...rows.map((cells) => cells.map(escapeControls))];
  const widths = columns.map(({ width = 0 }, at) =>
    safe.reduce((most, cells) => Math.max(most, cells[at]?.length ?? 0), width),
  );
  const kept = keep(columns, widths, width);
  return safe.map((cells) => {
    const padded = kept.map((at) => {
      const cell = cells[at] as string;
      return columns[at]?.right ? cell.padStart(widths[at] as number) : cell.padEnd(widths[at] as number);
    });
    return cut(padded.join(GAP).trimEnd(), width);
  });
}

const GAP = "  ";

/** @returns the indexes of the columns that are shown */
function keep(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const kept = columns.map((_, at) => at);
  const total = () => kept.reduce((sum, at) => sum + (widths[at] as number) + GAP.length, -GAP.length);
  const spare = (at: number) => columns[at]?.spare ?? 0;
  while (total() > width) {
    const least = kept.reduce((most, at) => (spare(at) > spare(most) ? at : most));
    if (spare(least) === 0) break;
    kept.splice(kept.indexOf(least), 1);
  }
  return kept;
}

/** Parts joined to lines of at most this width. */
export function joined(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)}${separator}${part}`;
    if (lines.length === 0) lines.push(part);
    else if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines.map((line) => cut(line, width));
}

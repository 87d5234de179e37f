/** A table for a terminal: numbers to the right, and what matters least is left out instead of cut in two. */
import { printable } from "./printable.js";
import { cut } from "./table.js";

export interface Column {
  readonly title: string;
  /** Numbers: to the right. Default: to the left. */
  readonly right?: boolean;
  /** Characters at least: it stands still while a number grows and shrinks. Default: those of the title. */
  readonly width?: number;
  /** The highest is left out first where there is no room. Default: never. */
  readonly spare?: number;
}

/**
 * Columns as wide as their widest cell; cells come out printable. The first line has the titles.
 * @param room in characters
 */
export function fitted(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  room = Number.POSITIVE_INFINITY,
): string[] {
  const safe = [columns.map(({ title }) => title), ...rows.map((cells) => cells.map(printable))];
  const widths = columns.map(({ width = 0 }, at) =>
    safe.reduce((most, cells) => Math.max(most, cells[at]?.length ?? 0), width),
  );
  const kept = keep(columns, widths, room);
  return safe.map((cells) => {
    const padded = kept.map((at) => {
      const cell = cells[at] as string;
      return columns[at]?.right ? cell.padStart(widths[at] as number) : cell.padEnd(widths[at] as number);
    });
    return cut(padded.join(GAP).trimEnd(), room);
  });
}

const GAP = "  ";

/** @returns the places of the columns that are shown */
function keep(columns: readonly Column[], widths: readonly number[], room: number): number[] {
  const kept = columns.map((_, at) => at);
  const wide = () => kept.reduce((sum, at) => sum + (widths[at] as number) + GAP.length, -GAP.length);
  const spare = (at: number) => columns[at]?.spare ?? 0;
  while (wide() > room) {
    const least = kept.reduce((most, at) => (spare(at) > spare(most) ? at : most));
    if (spare(least) === 0) break;
    kept.splice(kept.indexOf(least), 1);
  }
  return kept;
}

/** Parts, joined to lines that are no longer than there is room. */
export function joined(parts: readonly string[], between: string, room: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)}${between}${part}`;
    if (lines.length === 0) lines.push(part);
    else if (longer.length <= room) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines.map((line) => cut(line, room));
}

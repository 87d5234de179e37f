/** Width of text, and text cut to a width: SVG does not cut text. */

const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const MOST_KEPT = 4_000;

const context = document.createElement("canvas").getContext("2d");
const widths = new Map<string, number>();

/** @param font weight and size, as CSS has them: `600 13px` */
export function fitted(text: string, font: string, width: number): string {
  if (widthOf(text, font) <= width) return text;
  let least = 0;
  let most = text.length;
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (measure(`${text.slice(0, middle)}…`, font) <= width) least = middle;
    else most = middle - 1;
  }
  return `${text.slice(0, least).trimEnd()}…`;
}

/** Drops whole parts before cutting within one: `10.0.0.7:51234, idle 12s` becomes the address. */
export function fittedParts(text: string, font: string, width: number): string {
  const parts = partsOf(text);
  while (parts.length > 1 && widthOf(parts.join(""), font) > width) parts.pop();
  return fitted(parts.join(""), font, width);
}

export function partsOf(text: string): string[] {
  return text.split(/(?=, | \+ )/);
}

export function widthOf(text: string, font: string): number {
  const key = `${font}|${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  if (widths.size >= MOST_KEPT) widths.clear();
  const width = measure(text, font);
  widths.set(key, width);
  return width;
}

function measure(text: string, font: string): number {
  if (!context) return text.length * 7;
  context.font = `${font} ${FAMILY}`;
  // The page uses tabular digits, which a canvas cannot: measure every digit as 0.
  return context.measureText(text.replace(/\d/g, "0")).width;
}

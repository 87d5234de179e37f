/** Reads the text of `/metrics`. */

export interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

export function samplesOf(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return value === undefined ? [] : [{ name, labels, value: Number(value) }];
  });
}

/** The value of one series; labels in the order in which they are written. */
export function seriesValue(
  text: string,
  name: string,
  labels: Readonly<Record<string, string | number>>,
): number | undefined {
  const wanted = Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(",");
  return samplesOf(text).find((sample) => sample.name === name && sample.labels === wanted)?.value;
}

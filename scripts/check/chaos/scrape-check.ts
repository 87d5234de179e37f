// What must hold of each scrape: totals never fall, and accepted = active + closed. Pure.

/** Series and values of a scrape. */
export function seriesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(" ")),
      Number(line.slice(line.lastIndexOf(" ") + 1)),
    ]),
  );
}

const sum = (series: ReadonlyMap<string, number>, name: string) =>
  [...series].reduce((all, [key, value]) => (key.startsWith(`${name}{`) ? all + value : all), 0);

export interface Connections {
  readonly accepted: number;
  readonly active: number;
  readonly closed: number;
}

export class ScrapeCheck {
  #last = new Map<string, number>();

  /** Another program has started: its totals begin at 0. */
  reset(): void {
    this.#last = new Map();
  }

  /** @returns the connections of all workers, those that have ended included, and what is wrong */
  check(text: string): Connections & { readonly wrong: readonly string[] } {
    const series = seriesOf(text);
    const wrong: string[] = [];
    for (const [key, value] of series) {
      const before = this.#last.get(key) ?? 0;
      if (/^drover_\w+_total\b/.test(key) && value < before)
        wrong.push(`${key} fell from ${before} to ${value}`);
    }
    // A series that has gone must not come back with less.
    this.#last = new Map([...this.#last, ...series]);
    const accepted = sum(series, "drover_connections_accepted_total");
    const active = sum(series, "drover_connections_active");
    const closed = sum(series, "drover_connections_closed_total");
    if (accepted !== active + closed)
      wrong.push(`accepted ${accepted} is not active ${active} + closed ${closed}`);
    return { accepted, active, closed, wrong };
  }
}

// The invariants that are looked at while the run goes on: totals never fall, and the books balance at every scrape.
import { descendants, type OsProcess } from "./os-processes.js";
import { pause, type Server } from "./server.js";

const EVERY_MS = 500;

/** Series and values of a scrape. */
function parse(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(" ")),
      Number(line.slice(line.lastIndexOf(" ") + 1)),
    ]),
  );
}

const sum = (series: Map<string, number>, name: string) =>
  [...series].reduce((all, [key, value]) => (key.startsWith(`${name}{`) ? all + value : all), 0);

export class Watch {
  readonly violations: string[] = [];
  /** The primary is stopped: it cannot be asked. */
  primaryAway = false;
  scrapes = 0;
  readonly #server: Server;
  readonly #seen = new Map<string, OsProcess>();
  #last = new Map<string, number>();
  #over = false;
  #watching: Promise<void> = Promise.resolve();

  constructor(server: Server) {
    this.#server = server;
  }

  /** OS processes of the server that were ever seen. */
  get seen(): OsProcess[] {
    return [...this.#seen.values()];
  }

  start(): void {
    this.#watching = (async () => {
      while (!this.#over) {
        await this.look();
        await pause(EVERY_MS);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#watching;
  }

  /** @returns accepted, active and closed connections; `undefined` when the scrape failed */
  async look(): Promise<{ accepted: number; active: number; closed: number } | undefined> {
    for (const one of descendants(this.#server.osPid)) this.#seen.set(`${one.osPid} ${one.startedAt}`, one);
    const excused = this.primaryAway;
    const text = await this.#server.ask("GET", "/metrics").catch((error: Error) => {
      if (!excused && !this.primaryAway) this.#report(`no metrics within 5 s: ${error.message}`);
    });
    if (!text) return undefined;
    this.scrapes++;
    const series = parse(text);
    for (const [key, value] of series) {
      const before = this.#last.get(key) ?? 0;
      if (/^drover_\w+_total\b/.test(key) && value < before)
        this.#report(`${key} fell from ${before} to ${value}`);
    }
    // A series that has gone must not come back with less.
    this.#last = new Map([...this.#last, ...series]);
    const accepted = sum(series, "drover_connections_accepted_total");
    const active = sum(series, "drover_connections_active");
    const closed = sum(series, "drover_connections_closed_total");
    if (accepted !== active + closed)
      this.#report(`accepted ${accepted} is not active ${active} + closed ${closed}`);
    return { accepted, active, closed };
  }

  #report(what: string): void {
    if (this.violations.length < 20) this.violations.push(what);
  }
}

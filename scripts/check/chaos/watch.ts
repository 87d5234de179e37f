// What is looked at while the run goes on: scrapes, and the OS processes of the server.
import { descendants, type OsProcess } from "./os-processes.js";
import { type Connections, ScrapeCheck } from "./scrape-check.js";
import { pause, type Server } from "./server.js";

const EVERY_MS = 500;

export class Watch {
  readonly violations: string[] = [];
  /** The primary is stopped or dead: it cannot be asked. */
  primaryAway = false;
  /** The primary has no descriptors: libuv closes what connects to it. */
  primaryRefuses = false;
  scrapes = 0;
  /** Connections by the last scrape. */
  last: Connections | undefined;
  readonly #server: Server;
  readonly #seen = new Map<string, OsProcess>();
  readonly #check = new ScrapeCheck();
  #starts = 0;
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

  /** The primary is dead and another program starts: what the old one answered is of no use any more. */
  startAgain(): void {
    this.#starts++;
    this.#check.reset();
  }

  /** @returns `undefined` when the scrape failed */
  async look(): Promise<Connections | undefined> {
    for (const one of descendants(this.#server.osPid)) this.#seen.set(`${one.osPid} ${one.startedAt}`, one);
    const [away, refuses, starts] = [this.primaryAway, this.primaryRefuses, this.#starts];
    const text = await this.#server.ask("GET", "/metrics").catch((error: NodeJS.ErrnoException) => {
      const refused = error.code === "EPIPE" || error.code === "ECONNRESET";
      const excused = away || this.primaryAway || (refused && (refuses || this.primaryRefuses));
      if (!excused) this.#report(`no metrics within ${this.#server.patience(5_000)} ms: ${error.message}`);
    });
    if (!text || starts !== this.#starts) return undefined;
    this.scrapes++;
    const { wrong, ...connections } = this.#check.check(text);
    for (const what of wrong) this.#report(what);
    this.last = connections;
    return connections;
  }

  #report(what: string): void {
    if (this.violations.length < 20) this.violations.push(what);
  }
}

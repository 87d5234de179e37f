/**
 * The apps, whose code is loaded by the first request, or five seconds after the start: hono, and what Node loads for its
 * Request and Response, would take a tenth of the CPU time of a start. Not later, as an upgrade of the package removes it.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { adminFailures } from "../events.js";
import type { RouteOptions } from "../routes/route-context.js";
import type { Listener } from "./http-server.js";
import type { OpenApps } from "./open-apps.js";

/** In milliseconds. */
const LOAD_AFTER = 5_000;

export class LazyApps {
  readonly #options: RouteOptions;
  #timer: TimerRef = undefined;
  #opening: Promise<OpenApps> | undefined = undefined;
  #open: OpenApps | undefined = undefined;

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /** @param at place of its access */
  async listener(at: number): Promise<Listener> {
    return (await this.#load()).listeners[at] as Listener;
  }

  /** The ways in are open. */
  opened(): void {
    this.#timer = clock.setTimeout(() => void this.#loadEarly(), LOAD_AFTER, true);
  }

  close(): void {
    clock.clearTimeout(this.#timer);
    this.#open?.closeStreams();
  }

  async #load(): Promise<OpenApps> {
    this.#opening ??= import("./open-apps.js").then(({ openApps }) => openApps(this.#options));
    try {
      this.#open = await this.#opening;
      return this.#open;
    } catch (error) {
      // The next request tries again.
      this.#opening = undefined;
      throw error;
    }
  }

  async #loadEarly(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      if (adminFailures.hasSubscribers) adminFailures.publish({ method: "", path: "", error });
    }
  }
}

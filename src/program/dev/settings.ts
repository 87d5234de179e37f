/** What `drover dev` sets: above the configuration file, below flags and environment. */
import type { Settings } from "../../config/config.js";

export const DEV_SETTINGS: Settings = {
  // One worker: one place for breakpoints, and one line of each event.
  workers: 1,
  logLevel: "debug",
  logFormat: "pretty",
  // A worker that stands at a breakpoint, or hangs in new code, is to be looked at.
  watchdog: 0,
  inspect: 9229,
  // The next version starts after it.
  shutdown: 250,
  // A worker that crashes is started again for as long as its author looks for the reason.
  maxRestarts: 1_000,
};

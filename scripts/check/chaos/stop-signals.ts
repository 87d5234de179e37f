// Ctrl-C ends a run early, with its checks and its report; a server that was left would hold its ports.
import { EXIT } from "../../../src/config/exit-codes.js";

/** @returns what is aborted by the first SIGINT or SIGTERM; a second one ends this program at once */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    // With the handlers of `exit`, in which a server removes what is its own.
    if (stop.signal.aborted) process.exit(EXIT.failed);
    console.error(`${name}: ends with the final checks; a second signal ends at once`);
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return stop.signal;
}

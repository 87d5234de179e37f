/** Log lines of connections that were told to stop at a deadline: the first 20 by name, and how many there were. */
import type { ConnectionRow } from "../../../../control/connections.js";
import type { Log } from "../../../../telemetry/log/log.js";
import { peerText } from "../../../../text/address.js";
import { durationText } from "../../../../text/duration.js";
import { plural } from "../../../../text/plural.js";

/** Of ten thousand clients the log names this many; `drover drain --json` lists up to 1,000. */
export const MAX_LOGGED = 20;

/** @param why `drain deadline reached` */
export function logCutConnections(
  log: Log,
  why: string,
  unfinished: readonly ConnectionRow[],
  cut: number,
): void {
  const listed = unfinished.slice(0, MAX_LOGGED);
  const which = cut > listed.length ? `, the first ${listed.length} follow` : "";
  log.warn(`${why}: ${plural(cut, "connection")} told to stop${which}`, { cut, listed: listed.length });
  for (const row of listed) {
    const { pid, listener, state, peer, via, ageMs, idleMs } = row;
    log.warn(
      `connection cut at the deadline: ${peerText(row)}, state ${state}, idle ${durationText(idleMs)}`,
      { pid, listener, state, peer, ...(via !== undefined && { via }), ageMs, idleMs },
    );
  }
}

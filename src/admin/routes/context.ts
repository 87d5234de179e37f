/** What the routes of one admin server share while it runs, through whichever door they are asked. */
import type { Control } from "../../control/control.js";
import type { Door } from "../access/guard.js";
import { Streams } from "../streams/event-streams.js";
import { Shared } from "../streams/shared-answer.js";
import { StatsFeed } from "../streams/stats-feed.js";

export interface Room {
  /** Through which the request came. */
  readonly door: Door;
  /** What a change over TCP must bring, for its owner to read. */
  readonly token: string | undefined;
  /** The text of `/metrics`. */
  readonly metrics: Shared<string>;
  readonly streams: Streams;
  readonly stats: StatsFeed;
}

/** One for each door; `metrics` and `stats` are the same for all of them. */
export function rooms(control: Control, doors: readonly Door[], token: string | undefined): Room[] {
  const metrics = new Shared(() => control.metrics());
  const stats = new StatsFeed(() => control.stats());
  return doors.map((door) => ({ door, token, metrics, stats, streams: new Streams() }));
}

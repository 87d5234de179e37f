/** State that the routes share while an admin server runs. */
import type { Control } from "../../control/control.js";
import type { Access } from "../access/guard.js";
import { type AdminChange, reportChange } from "../events.js";
import { CachedAnswer } from "../http/cached-answer.js";
import { EventStreams } from "../streams/event-streams.js";
import { StatsFeed } from "../streams/stats-feed.js";

export interface RouteContext {
  /** Access rules of the listener that the request came in on. */
  readonly access: Access;
  /** Token for changes over TCP; readable over the control socket. */
  readonly token: string | undefined;
  /** Largest message to a process or a group, in bytes. */
  readonly maxMessage: number;
  /** The text of `/metrics`. */
  readonly metrics: CachedAnswer<string>;
  /** The text of `/metrics/now`. */
  readonly freshMetrics: CachedAnswer<string>;
  readonly streams: EventStreams;
  readonly stats: StatsFeed;
  /** Told of each change. */
  readonly onChange: (change: AdminChange) => void;
}

/** What routes need besides the requests. */
export interface RouteOptions {
  readonly control: Control;
  /** One for each app. */
  readonly accesses: readonly Access[];
  readonly token?: string | undefined;
  /** Largest message to a process or a group, in bytes. Default 64 KiB. */
  readonly maxMessage?: number | undefined;
  readonly onChange?: ((change: AdminChange) => void) | undefined;
}

const MAX_MESSAGE = 64 * 1024;

/** One for each listener; caches and `stats` are shared by all of them. */
export function routeContexts({
  control,
  accesses,
  token,
  maxMessage = MAX_MESSAGE,
  onChange,
}: RouteOptions): RouteContext[] {
  const metrics = new CachedAnswer(() => control.metrics());
  // Not kept, but never made twice at once.
  const freshMetrics = new CachedAnswer(() => control.freshMetrics(), 0);
  const stats = new StatsFeed(() => control.stats());
  return accesses.map((access) => ({
    ...{ access, token, maxMessage, metrics, freshMetrics, stats, onChange: reportChange(onChange) },
    streams: new EventStreams(),
  }));
}

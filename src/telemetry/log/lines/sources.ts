/** Channels whose events are logged, and what makes a line of each event. */
import {
  adminFailures,
  adminPortEvents,
  controlSocketEvents,
  descriptorShortages,
} from "../../../admin/events.js";
import {
  crashReports,
  progressReports,
  supervisorReports,
  unhandledRejections,
} from "../../../otp/events.js";
import {
  connectionClosed,
  connectionOpened,
  handlerTimeouts,
  listenerEvents,
  memoryBounds,
  namesContested,
  openingFailures,
  outgoingEvents,
} from "../../../tcp/observe/events.js";
import { adminPortEntry, controlSocketEntry, failureEntry, shortageEntry } from "./admin-lines.js";
import {
  closedEntry,
  handlerTimeoutEntry,
  listenerEntry,
  memoryBoundEntry,
  nameContestedEntry,
  openedEntry,
  openingFailedEntry,
  outgoingEntry,
} from "./connection-lines.js";
import type { LogSource } from "./log-entry.js";
import { crashEntry, progressEntry, rejectionEntry, supervisorEntry } from "./report-lines.js";

export const SOURCES: readonly LogSource[] = [
  { channel: supervisorReports, maxLevel: "error", entry: supervisorEntry },
  { channel: crashReports, maxLevel: "error", entry: crashEntry },
  { channel: unhandledRejections, maxLevel: "error", entry: rejectionEntry },
  { channel: progressReports, maxLevel: "debug", entry: progressEntry },
  { channel: listenerEvents, maxLevel: "warn", entry: listenerEntry },
  { channel: adminFailures, maxLevel: "error", entry: failureEntry },
  { channel: handlerTimeouts, maxLevel: "warn", entry: handlerTimeoutEntry },
  { channel: openingFailures, maxLevel: "warn", entry: openingFailedEntry },
  { channel: memoryBounds, maxLevel: "warn", entry: memoryBoundEntry },
  { channel: namesContested, maxLevel: "warn", entry: nameContestedEntry },
  { channel: outgoingEvents, maxLevel: "warn", entry: outgoingEntry },
  { channel: controlSocketEvents, maxLevel: "warn", entry: controlSocketEntry },
  { channel: adminPortEvents, maxLevel: "warn", entry: adminPortEntry },
  { channel: descriptorShortages, maxLevel: "warn", entry: shortageEntry },
  { channel: connectionOpened, maxLevel: "trace", entry: openedEntry },
  { channel: connectionClosed, maxLevel: "debug", entry: closedEntry },
];

/** Which events become log lines, at which level, in which words. */
import type { Channel } from "node:diagnostics_channel";
import { type AdminFailure, adminFailures } from "../../admin/events.js";
import {
  type CrashReport,
  crashReports,
  type ProgressReport,
  progressReports,
  type SupervisorReport,
  supervisorReports,
} from "../../otp/events.js";
import {
  type ConnectionClosed,
  type ConnectionEvent,
  connectionClosed,
  connectionOpened,
  type ListenerEvent,
  listenerEvents,
} from "../../tcp/observe/events.js";
import { crashFields, errorFields, type Fields, progressFields, supervisorFields } from "./fields.js";
import type { LineLevel } from "./levels.js";
import { addressText, clip, LONGEST_TERM, reasonText } from "./safe-text.js";
import { crashText, progressText, supervisorText } from "./sasl.js";

/** Something to be written. */
export interface Entry {
  readonly level: LineLevel;
  readonly message: string;
  fields(): Fields;
  /** For people, in place of message and fields. */
  text?(time: number): string;
  /** What it is counted as in a flood; without one it is always written. */
  readonly kind?: string;
}

export interface Source {
  readonly channel: Channel;
  /** The most important that may come: nobody listens to a channel of which nothing would be written. */
  readonly highest: LineLevel;
  entry(event: any): Entry;
}

export const SOURCES: readonly Source[] = [
  { channel: supervisorReports, highest: "error", entry: supervisorEntry },
  { channel: crashReports, highest: "error", entry: crashEntry },
  { channel: progressReports, highest: "debug", entry: progressEntry },
  { channel: listenerEvents, highest: "warn", entry: listenerEntry },
  { channel: adminFailures, highest: "error", entry: failureEntry },
  { channel: connectionOpened, highest: "trace", entry: openedEntry },
  { channel: connectionClosed, highest: "debug", entry: closedEntry },
];

function supervisorEntry(report: SupervisorReport): Entry {
  const { supervisor, errorContext, reason } = report;
  return {
    level: "error",
    message: `supervisor ${supervisor}: ${errorContext}, ${reasonText(reason)}`,
    fields: () => supervisorFields(report),
    text: (time) => supervisorText(report, time),
    kind: `supervisor ${errorContext} ${reasonClass(reason)}`,
  };
}

function crashEntry(report: CrashReport): Entry {
  const { pid, initialCall, reason } = report;
  return {
    level: "error",
    message: `crash of ${pid} ${initialCall}: ${reasonText(reason)}`,
    fields: () => crashFields(report),
    text: (time) => crashText(report, time),
    kind: `crash ${reasonClass(reason)}`,
  };
}

function progressEntry(report: ProgressReport): Entry {
  const { supervisor, started } = report;
  return {
    level: "debug",
    message: `supervisor ${supervisor}: started ${started.id ?? started.mfargs[0]}`,
    fields: () => progressFields(report),
    text: (time) => progressText(report, time),
  };
}

function failureEntry({ method, path, error }: AdminFailure): Entry {
  return {
    level: "error",
    message: `the admin server failed at ${method} ${path}: ${reasonText(error)}`,
    fields: () => ({
      method,
      path: clip(path, LONGEST_TERM),
      ...(error instanceof Error && { err: errorFields(error) }),
    }),
    kind: `admin ${reasonClass(error)}`,
  };
}

const LISTENER_WORDS: Readonly<
  Record<ListenerEvent["what"], { readonly level: LineLevel; readonly words: string }>
> = {
  listening: { level: "info", words: "listening on" },
  suspended: { level: "info", words: "suspended: accepting no more on" },
  full: { level: "warn", words: "full: as many connections as allowed on" },
};

function listenerEntry({ pid, listener, what, address, port }: ListenerEvent): Entry {
  const { level, words } = LISTENER_WORDS[what];
  return {
    level,
    message: `${words} ${addressText({ address, port })}`,
    fields: () => ({ listener, state: what, address, port, pid: String(pid) }),
    // A listener at its limit changes with every client that comes or goes.
    kind: `listener ${what}`,
  };
}

function openedEntry(event: ConnectionEvent): Entry {
  return { level: "trace", message: "connection opened", fields: () => connectionFields(event) };
}

function closedEntry(event: ConnectionClosed): Entry {
  const { reason, counted, state, framesReceived, framesSent } = event;
  return {
    level: "debug",
    message: "connection closed",
    fields: () => ({
      ...connectionFields(event),
      reason: reasonText(reason),
      counted,
      state,
      framesReceived,
      framesSent,
    }),
  };
}

function connectionFields({ pid, protocol, peer }: ConnectionEvent): Fields {
  return { pid: String(pid), protocol, peer: addressText(peer) };
}

/**
 * What reasons have in common. Only words that look like chosen ones are told apart: a reason that quotes
 * what a client has sent would otherwise be a new one each time.
 */
export function reasonClass(reason: unknown): string {
  if (reason instanceof Error) return String(reason.name).slice(0, 40);
  if (typeof reason === "string") return /^[a-z]\w{0,39}$/.test(reason) ? reason : "text";
  if (typeof reason !== "object" || reason === null) return typeof reason;
  const [tag = "", why] = Object.entries(reason)[0] ?? [];
  return `${tag.slice(0, 40)} ${typeof why === "string" ? reasonClass(why) : typeof why}`;
}

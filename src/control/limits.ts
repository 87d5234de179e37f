/** Limits of the running server: what is in force, and changes of it. */
import type { Origin } from "../config/config.js";

/** A limit in force, of the server or of one listener. */
export interface LimitRow {
  /** `max-per-address` */
  readonly limit: string;
  /** `null`: of the server, over all listeners. */
  readonly listener: string | null;
  /** Durations in milliseconds, memory in bytes; `null`: no limit. */
  readonly value: number | string | readonly string[] | null;
  /** The value for people: `10m`, `auto (19744)`. */
  readonly text: string;
  /** `server`: a listener without a list of networks, or a `when-full`, of its own has that of the server. */
  readonly origin: Origin | "server" | "changed";
  /** Where it was changed while the server runs: when, in milliseconds since 1970, by which caller, and the value before. */
  readonly changed: { readonly at: number; readonly by: string; readonly configured: string } | null;
}

/** What is asked for; `listener` is missing for the server. */
export interface LimitRequest {
  /** Missing: all of them, which can only be reset. */
  readonly limit?: string | undefined;
  readonly listener?: string | undefined;
  readonly change: /** As text of a flag, or typed as in a file; `off` removes the limit. */
    | { readonly set: unknown }
    /** Networks, of a list. */
    | { readonly add: unknown }
    | { readonly remove: unknown }
    /** Back to what is configured. */
    | "reset";
}

/** What a request has changed. */
export interface LimitChange {
  /** Limits with another value than before; none: it was in force already. */
  readonly changes: readonly (LimitRow & { readonly before: string })[];
  /** `applied`, or why not yet: a worker that does not answer applies it when its event loop runs again. */
  readonly workers: readonly { readonly worker: number; readonly state: string }[];
  /** What else an operator should know, one line each. */
  readonly notes: readonly string[];
}

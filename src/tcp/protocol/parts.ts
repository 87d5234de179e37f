/** Types of what a protocol has beside its states, and its handlers find on `conn`: options, and what a worker opens. */
import type { ChildSpec } from "../../otp/supervisor/child-spec.js";
import type { CloseReason } from "../observe/events.js";
import type { OutputOf } from "./options/schema.js";

/** Types of the parts of one protocol. */
export interface Parts {
  readonly options: unknown;
  readonly worker: unknown;
  readonly metrics: unknown;
}

/** Of a protocol with this schema of options, this result of `worker.start`, and these metrics. */
export interface PartsOf<O, W, M> extends Parts {
  readonly options: OutputOf<O>;
  readonly worker: W;
  readonly metrics: M;
}

/** `never`, of a start that always throws, would be in the way of `any`. */
export type Started<W> = [W] extends [never] ? undefined : W;

/** What is on `conn`, and on the arrival that `data` gets. */
export interface OwnParts<P extends Parts = any> {
  /** What the schema `options` of the protocol makes of `--set`, the configuration file or `serve({ options })`. */
  readonly options: P["options"];
  /** What `worker.start` of the protocol has returned: pools and clients that all connections of this worker share. */
  readonly worker: P["worker"];
  /** The `metrics` of the protocol: `conn.metrics.logins.inc({ result: "ok" })`. */
  readonly metrics: P["metrics"];
}

/** What is known before the first connection. */
export interface WorkerContext<Options, M = any> {
  readonly options: Options;
  readonly metrics: M;
}

/** Begin and end of a protocol in one worker, or in the program that calls `serve`. */
export interface WorkerHooks<Schema, W, M = any> {
  /**
   * Runs before the listeners accept; its result is `conn.worker`. A promise is awaited. What it throws is a failed start
   * of the worker, with its reason.
   */
  start(context: WorkerContext<OutputOf<Schema>, M>): W | Promise<W>;
  /**
   * Runs after the last connection has closed. A promise is awaited within the rest of the shutdown time, 1 s at least.
   * Not after a crash of the OS process.
   */
  stop?(worker: NoInfer<W>, context: WorkerContext<OutputOf<Schema>, M>): void | Promise<void>;
}

/** Processes beside the listeners, as a list, or a function of options and worker. */
export type Children<Schema, W, M = any> =
  | readonly ChildSpec[]
  | { make(context: OwnParts<PartsOf<Schema, W, M>>): readonly ChildSpec[] }["make"];

/**
 * What `stop` may be given: where a protocol lists `reasons` only those, words of drover, errors and objects. Without a
 * list anything.
 */
export type ReasonsOf<R extends string> = string extends R
  ? any
  : R | Exclude<CloseReason, "worker_died"> | "normal" | Error | { readonly [key: string]: unknown };

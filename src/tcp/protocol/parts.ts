/** Types of what a protocol has beside its states, and its handlers find on `conn`: options, and what a worker opens. */
import type { ChildSpec } from "../../otp/supervisor/child-spec.js";
import type { OutputOf } from "./schema.js";

/** Types of the parts of one protocol. */
export interface Parts {
  readonly options: unknown;
  readonly worker: unknown;
}

/** Of a protocol with this schema of options, and this result of `worker.start`. */
export interface PartsOf<O, W> extends Parts {
  readonly options: OutputOf<O>;
  readonly worker: W;
}

/** `never`, of a start that always throws, would be in the way of `any`. */
export type Started<W> = [W] extends [never] ? undefined : W;

/** What is on `conn`, and on the arrival that `data` gets. */
export interface OwnParts<P extends Parts = any> {
  /** What the schema `options` of the protocol makes of `--set`, the configuration file or `serve({ options })`. */
  readonly options: P["options"];
  /** What `worker.start` of the protocol has returned: pools and clients that all connections of this worker share. */
  readonly worker: P["worker"];
}

/** What is known before the first connection. */
export interface WorkerContext<Options> {
  readonly options: Options;
}

/** Begin and end of a protocol in one worker, or in the program that calls `serve`. */
export interface WorkerHooks<Schema, W> {
  /**
   * Runs before the listeners accept; its result is `conn.worker`. A promise is awaited. What it throws is a failed start
   * of the worker, with its reason.
   */
  start(context: WorkerContext<OutputOf<Schema>>): W | Promise<W>;
  /**
   * Runs after the last connection has closed. A promise is awaited within the rest of the shutdown time, 1 s at least.
   * Not after a crash of the OS process.
   */
  stop?(worker: NoInfer<W>, context: WorkerContext<OutputOf<Schema>>): void | Promise<void>;
}

/** Processes beside the listeners, as a list, or a function of options and worker. */
export type Children<Schema, W> =
  | readonly ChildSpec[]
  | { make(context: OwnParts<PartsOf<Schema, W>>): readonly ChildSpec[] }["make"];

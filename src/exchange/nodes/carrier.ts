/**
 * Carrier: takes bytes from one server to the others of its cluster. Every server has an inbox of its own, and all hear
 * what is sent to all. Two implementations: NATS, and memory for the tests.
 *
 * Promised: at most once; what one server sends to one inbox arrives in the order sent. Not promised: that it arrives,
 * and any order between `send` and `toAll`, or between two senders.
 */

export interface CarrierHandlers {
  /**
   * Bytes from another server (or from this one: its own `toAll` may come back). Called only after `open` was called and
   * never after `close`. Valid only during the call. Must not throw; a carrier catches what is thrown all the same.
   */
  onBytes(bytes: Buffer): void;
  /**
   * Whether this server can reach the carrier. First `up` when the inbox hears; called at changes only. After `down`
   * nothing is taken until the next `up`, and what was under way may be lost.
   * @param detail what a person wants to know: the server's address, or why it was lost
   */
  onState(state: "up" | "down", detail: string): void;
  /** `probe` has found that no server listens to this inbox: its OS process is gone, or has not come back yet. */
  onNoResponder(inbox: string): void;
  /** `send` has returned false, and would take bytes again. Also called after each `up`. */
  onWritable(): void;
  /** Something that belongs into the log. The carrier repeats one event at most once a minute. */
  onEvent(event: CarrierEvent): void;
}

export interface CarrierEvent {
  readonly level: "info" | "warn" | "error";
  /** Stable, in snake case: `nats_permission_denied`. */
  readonly event: string;
  /** What is wrong and what to do. */
  readonly text: string;
}

/** What `tree`, `drover nodes` and the metrics show of a carrier. */
export interface CarrierStatus {
  /** What it is called: `NATS`. */
  readonly name: string;
  readonly up: boolean;
  /** Address of the server that it is connected to; `undefined` while it is not. */
  readonly server: string | undefined;
  /** In milliseconds, as last measured. */
  readonly roundTrip: number | undefined;
  /** Times that the link was up again after it was lost. */
  readonly reconnects: number;
}

export interface Carrier {
  /** Most bytes of one `send`, `probe` or `toAll`. May change with `up`, never while up. */
  readonly maxBytes: number;
  /** Bytes taken by `send` that have not been confirmed to have left this OS process. */
  readonly backlog: number;
  readonly status: CarrierStatus;
  /**
   * Connects, and from then on for ever: while there is no server to connect to, it tries again. Called once.
   * @param inbox letters and digits, at random: an inbox is never used by two OS processes
   * @returns or resolves before it is up: `onState` says so. Rejects only when it can never be: package missing
   */
  open(inbox: string, handlers: CarrierHandlers): Promise<void> | void;
  /**
   * Sends bytes to one server. What it takes belongs to it: do not write to it any more.
   * @returns false when it did not take them: keep them until `onWritable`
   */
  send(inbox: string, bytes: Buffer): boolean;
  /**
   * As `send`, and finds out whether the inbox has a listener (`onNoResponder`). Taken also when `send` would not take
   * more, as long as it is up: heartbeats must not wait behind messages. They keep the order with `send` all the same.
   */
  probe(inbox: string, bytes: Buffer): boolean;
  /** Sends bytes to all servers of the cluster. Taken as `probe` is, and belong to it as well. */
  toAll(bytes: Buffer): boolean;
  /** For good. Resolves when what was taken has left, or after 1 s. */
  close(): Promise<void>;
}

/**
 * One connection to a NATS server, from its first PONG to its end. At most 4 MiB are under way between two PONGs, and a
 * PONG that is late by 1.5 s ends it: the client itself, with data under way to a server that has stopped, neither
 * reconnects nor reports anything, and keeps in memory all that is published (1.2 GB in 20 s).
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Connected } from "./attempt-sockets.js";
import type { Msg, NatsConnection } from "./client.js";
import type { Subjects } from "./subjects.js";

/** Most bytes that are sent and not confirmed by a PONG. */
const WINDOW = 4 * 1024 * 1024;
/** Bytes after which a PING follows, so that the window moves on in steps. */
const PING_AFTER = 256 * 1024;
/** Milliseconds between two looks at the clock, and two PINGs of a quiet link. */
const TICK = 250;
/** Milliseconds that a PONG may take. */
const LATE = 1_500;
/** A look at the clock that comes so much later finds that this OS process stood still, not the server. */
const STALL = 500;
/** Bytes of a message besides its content: subject, sizes, line ends. */
const OVERHEAD = 100;

export interface NatsLinkHandlers {
  onBytes(bytes: Buffer): void;
  onNoResponder(inbox: string): void;
  /** Less than 3 MiB are under way again. */
  onWritable(): void;
  /** It goes on, but something was refused. */
  onTrouble(error: unknown): void;
  /** One of these functions has thrown. */
  onFailure(error: unknown): void;
  onEnd(error: unknown): void;
}

interface Ping {
  at: number;
  /** Bytes taken before it. */
  readonly taken: number;
}

export class NatsLink {
  /** In milliseconds, of the last PING. */
  roundTrip: number | undefined = undefined;
  readonly #connection: NatsConnection;
  readonly #reset: () => void;
  readonly #inbox: string;
  readonly #subjects: Subjects;
  readonly #handlers: NatsLinkHandlers;
  readonly #pings: Ping[] = [];
  #taken = 0;
  #confirmed = 0;
  #pinged = 0;
  #refused = false;
  #ended = false;
  #ticked = clock.now();
  #timer: TimerRef;

  constructor(
    { connection, reset }: Connected<NatsConnection>,
    inbox: string,
    subjects: Subjects,
    handlers: NatsLinkHandlers,
  ) {
    this.#connection = connection;
    this.#reset = reset;
    this.#inbox = inbox;
    this.#subjects = subjects;
    this.#handlers = handlers;
    this.#timer = clock.setTimeout(() => this.#tick(), TICK, true);
    void connection.closed().then((error) => this.end(error ?? new Error("closed by the server")));
    void this.#watch();
  }

  /** Subscribes. Resolves when the inbox hears; rejects when that is denied, or the link has ended. */
  async start(): Promise<void> {
    let denied: unknown;
    const subscribe = (subject: string, got: (data: Buffer, subject: string) => void): void => {
      const callback = (
        error: Error | null,
        message: { readonly data: Uint8Array; readonly subject: string },
      ) => {
        if (error) denied ??= error;
        else if (!this.#ended) this.#guard(() => got(bufferOf(message.data), message.subject));
      };
      this.#connection.subscribe(subject, { callback });
    };
    const { onBytes, onNoResponder } = this.#handlers;
    // An empty one is of `drover check`, which tries the permissions.
    const given = (data: Buffer) => (data.length > 0 ? onBytes(data) : undefined);
    subscribe(this.#subjects.inbox(this.#inbox), given);
    subscribe(this.#subjects.all, given);
    subscribe(this.#subjects.gone(this.#inbox, "*"), (_data, subject) =>
      onNoResponder(this.#subjects.goneInbox(subject)),
    );
    await this.#ping();
    if (denied !== undefined) throw denied;
    if (this.#ended) throw new Error("closed by the server");
  }

  /** Serves a subject and all below it. One server of the cluster gets each message. */
  serve(subject: string, got: (message: Msg) => void): void {
    const callback = (error: Error | null, message: Msg) => {
      if (error) this.#guard(() => this.#handlers.onTrouble(error));
      else if (!this.#ended) this.#guard(() => got(message));
    };
    this.#connection.subscribe(subject, { queue: "drover", callback });
  }

  /** Bytes under way. */
  get backlog(): number {
    return this.#taken - this.#confirmed;
  }

  get maxBytes(): number {
    return this.#connection.info?.max_payload ?? 0;
  }

  /** @returns false while 4 MiB are under way */
  send(inbox: string, bytes: Buffer): boolean {
    if (this.backlog < WINDOW) return this.#publish(this.#subjects.inbox(inbox), bytes);
    this.#refused = true;
    return false;
  }

  /** As `send`, without the limit: NATS answers at once when the inbox has no listener. */
  probe(inbox: string, bytes: Buffer): boolean {
    return this.#publish(this.#subjects.inbox(inbox), bytes, this.#subjects.gone(this.#inbox, inbox));
  }

  toAll(bytes: Buffer): boolean {
    return this.#publish(this.#subjects.all, bytes);
  }

  /** Resolves when what was taken has reached the server. */
  async flush(): Promise<void> {
    await this.#ping();
  }

  /** @param discard what was written and has not left: its time is over */
  end(error: unknown, discard = false): void {
    if (this.#ended) return;
    this.#ended = true;
    clock.clearTimeout(this.#timer);
    if (discard) this.#reset();
    // Its answer is not waited for: with its server stopped it may take long.
    this.#connection.close().catch(() => {});
    this.#handlers.onEnd(error);
  }

  /**
   * @param bytes not written to any more: the client copies them at the end of the turn
   * @returns whether it was taken; what is larger than the server allows is taken, and lost
   */
  #publish(subject: string, bytes: Buffer, reply?: string): boolean {
    if (this.#ended) return false;
    if (bytes.length > this.maxBytes) {
      this.#handlers.onTrouble(new RangeError(`${bytes.length} bytes are more than its max_payload allows`));
      return true;
    }
    try {
      if (reply === undefined) this.#connection.publish(subject, bytes);
      else this.#connection.publish(subject, bytes, { reply });
    } catch (error) {
      this.end(error);
      return false;
    }
    this.#taken += bytes.length + OVERHEAD;
    if (this.#taken - this.#pinged >= PING_AFTER) void this.#ping();
    return true;
  }

  // -- PING and PONG --------------------------------------------------------------------------------------

  /** Resolves at its PONG, or when the link has ended. */
  async #ping(): Promise<void> {
    const at = clock.now();
    const ping = { at, taken: this.#taken };
    this.#pinged = this.#taken;
    this.#pings.push(ping);
    try {
      await this.#connection.flush();
    } catch (error) {
      return this.end(error);
    }
    if (this.#ended) return;
    this.#pings.shift();
    this.#confirmed = ping.taken;
    this.roundTrip = clock.now() - at;
    if (!this.#refused || this.backlog > WINDOW - 4 * PING_AFTER) return;
    this.#refused = false;
    this.#guard(() => this.#handlers.onWritable());
  }

  #tick(): void {
    const now = clock.now();
    const stalled = now - this.#ticked - TICK;
    this.#ticked = now;
    if (stalled > STALL) for (const ping of this.#pings) ping.at += stalled;
    const [oldest] = this.#pings;
    if (oldest !== undefined && now - oldest.at > LATE)
      return this.end(new Error(`no answer to a PING for ${LATE / 1_000} s`), true);
    if (oldest === undefined) void this.#ping();
    this.#timer = clock.setTimeout(() => this.#tick(), TICK, true);
  }

  // -- the client -----------------------------------------------------------------------------------------

  /** What the client reports by the way: denied subjects, and a server that is about to stop. */
  async #watch(): Promise<void> {
    try {
      for await (const status of this.#connection.status()) {
        if (status.type === "error") this.#guard(() => this.#handlers.onTrouble(status.error));
        else if (status.type === "ldm") return this.end(new Error("the server is shutting down"));
      }
    } catch (error) {
      this.end(error);
    }
  }

  /** What is thrown in a callback would end the client's reader: connected, and deaf. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#handlers.onFailure(error);
    }
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The primary's end of the channel to one worker: messages, requests with a timeout, and the time of the last message. */
import type { Worker } from "node:cluster";
import { clock } from "../../../otp/time/clock.js";
import type { SignalEnvelope, ToPrimary, ToWorker } from "../../channel/messages.js";
import { PendingReplies } from "../../channel/pending-replies.js";
import type { WorkerRequest } from "../../channel/requests.js";
import { SendQueue } from "../../channel/send-queue.js";
import { isToPrimary } from "../../channel/validate.js";

/** Milliseconds after which a worker is shown as not answering. */
const REPLY_TIMEOUT = 1_000;
/** Milliseconds for which the channel of a worker that has exited is read to its end. */
const END_TIMEOUT = 500;

export class WorkerChannel {
  readonly #os: Worker;
  readonly #replies = new PendingReplies<unknown>(REPLY_TIMEOUT);
  readonly #signals: SendQueue;
  #heardAt = clock.now();

  /**
   * @param onMessage called with every valid message but replies
   * @param onDrop called for every signal that is dropped because the worker does not read
   */
  constructor(
    os: Worker,
    onMessage: (message: Exclude<ToPrimary, { t: "reply" }>) => void,
    onDrop: () => void,
  ) {
    this.#os = os;
    this.#signals = new SendQueue((message, written) => this.#send(message, undefined, written), onDrop);
    os.on("message", (message: unknown) => {
      if (!isToPrimary(message)) return;
      this.#heardAt = clock.now();
      if (message.t === "reply") this.#replies.resolve(message.id, message.d);
      else onMessage(message);
    });
  }

  /** Milliseconds since the last message. */
  get silentMs(): number {
    return clock.now() - this.#heardAt;
  }

  /** Takes time off `silentMs` in which the primary itself could not have read a message. */
  discount(ms: number): void {
    this.#heardAt = Math.min(clock.now(), this.#heardAt + ms);
  }

  /** Sends a message that must not be lost. */
  post(message: Exclude<ToWorker, { t: "signal" }>, handle?: unknown): void {
    this.#send(message, handle, () => {});
  }

  /** Passes on a signal, unless too much waits for the worker already. */
  signal(signal: SignalEnvelope): void {
    this.#signals.signal(signal);
  }

  #send(message: ToWorker, handle: unknown, written: () => void): void {
    if (!this.#os.isConnected()) return written();
    // keepOpen: the primary's own copy of the listening socket stays open.
    this.#os.process.send(message, handle as never, { keepOpen: true }, written);
  }

  /** The worker's reply; `undefined` when there is none within a second. */
  request(request: WorkerRequest, timeoutMs?: number): Promise<unknown> {
    return this.#replies.request((id) => this.post({ t: "request", id, d: request }), timeoutMs);
  }

  /** Handles that wait for the worker to acknowledge the one before: node sends them one by one. */
  get waitingHandles(): number {
    const { _handleQueue } = this.#os.process as { _handleQueue?: readonly unknown[] | null };
    return _handleQueue?.length ?? 0;
  }

  /** Ends all requests that have no reply. */
  end(): void {
    this.#replies.end();
  }

  /** Calls `then` after the last message: node may emit `exit` before it, and it carries the last counters. */
  afterLastMessage(then: () => void): void {
    if (!this.#os.isConnected()) return then();
    // A child process of the worker may have inherited the channel and keep it open.
    const timer = clock.setTimeout(() => this.#os.removeAllListeners("disconnect") && then(), END_TIMEOUT);
    this.#os.once("disconnect", () => {
      clock.clearTimeout(timer);
      then();
    });
  }
}

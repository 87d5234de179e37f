/**
 * Bound on what waits to be written to a channel whose other end does not read, in bytes. Node.js queues without one:
 * a worker stopped for a minute would cost the primary gigabytes. Only what may be lost passes here: signals, traces
 * and log records. Boot, stop, handles, requests and replies never do.
 */
import type { SignalEnvelope, ToPrimary } from "./messages.js";

const MIB = 2 ** 20;
/**
 * Messages may wait up to this size, exit signals a little further, diagnostics much less. A burst of 20,000 short
 * messages in one turn of the event loop fits: they all wait until it ends, however quickly the other end reads.
 */
export const MAX_WAITING_MIB = 32;
const MESSAGES = MAX_WAITING_MIB * MIB;
const SIGNALS = { send: MESSAGES, cast: MESSAGES, exit: MESSAGES + MIB } as const;
const DIAGNOSTICS = MIB;
/** Measured: memory that a waiting message takes beside its payload. */
const OVERHEAD = 1_500;

type Signal = { readonly t: "signal"; readonly d: SignalEnvelope };
export type Diagnostic = Extract<ToPrimary, { t: "record" | "trace" }>;

export class SendQueue<D extends Diagnostic = never> {
  readonly #write: (message: Signal | D, written: () => void) => void;
  readonly #onDrop: () => void;
  #waiting = 0;
  /** A message was dropped, and more than half of the bound still waits. */
  #full = false;

  /**
   * @param write sends a message, and calls `written` when it has left or the channel is closed
   * @param onDrop called for every signal that is dropped
   */
  constructor(write: (message: Signal | D, written: () => void) => void, onDrop: () => void) {
    this.#write = write;
    this.#onDrop = onDrop;
  }

  /**
   * Whether a signal is dropped, and counts it then. Asked before the signal is serialized, so that a flood costs no
   * more than that.
   */
  drops(kind: SignalEnvelope["kind"]): boolean {
    if (!this.#full || kind === "exit") return false;
    this.#onDrop();
    return true;
  }

  signal(d: SignalEnvelope): void {
    if (this.drops(d.kind)) return;
    if (this.#send({ t: "signal", d }, d.payload.byteLength, SIGNALS[d.kind])) return;
    this.#full = true;
    this.#onDrop();
  }

  /** A log record or a line of a trace; the one that does not read is the one that would show it. */
  diagnostic(message: D): void {
    this.#send(message, message.t === "record" ? message.d.length : 0, DIAGNOSTICS);
  }

  #send(message: Signal | D, bytes: number, limit: number): boolean {
    const size = bytes + OVERHEAD;
    // A message larger than the bound may still wait alone.
    if (this.#waiting > 0 && this.#waiting + size > limit) return false;
    this.#waiting += size;
    this.#write(message, () => {
      this.#waiting -= size;
      if (this.#waiting < MESSAGES / 2) this.#full = false;
    });
    return true;
  }
}

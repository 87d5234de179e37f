/** The worker's end of the channel to the primary: what must arrive, and what may be dropped while the primary does not read. */
import type { Log } from "../../telemetry/log/log.js";
import { DropWarning } from "../channel/drop-warning.js";
import type { SignalEnvelope, ToPrimary } from "../channel/messages.js";
import type { SignalSink } from "../channel/remote-signals.js";
import { type Diagnostic, SendQueue } from "../channel/send-queue.js";

export class PrimaryChannel implements SignalSink {
  /** Signals to other OS processes that were dropped. */
  messagesDropped = 0;
  readonly #queue: SendQueue<Diagnostic>;

  constructor(log: Pick<Log, "warn">) {
    const warning = new DropWarning(log, "to other workers", "the primary");
    this.#queue = new SendQueue(
      (message, written) => this.post(message, written),
      () => {
        this.messagesDropped++;
        warning.dropped();
      },
    );
  }

  /**
   * Sends a message that must not be lost.
   * @param sent called when the message has left, or when the channel is closed
   */
  post(message: ToPrimary, sent?: () => void): void {
    if (process.connected && process.send) process.send(message, undefined, undefined, () => sent?.());
    else sent?.();
  }

  drops(kind: SignalEnvelope["kind"]): boolean {
    return this.#queue.drops(kind);
  }

  signal(signal: SignalEnvelope): void {
    this.#queue.signal(signal);
  }

  diagnostic(message: Diagnostic): void {
    this.#queue.diagnostic(message);
  }
}

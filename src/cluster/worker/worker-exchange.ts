/**
 * The worker's way to the exchange: groups use it, and messages to processes of other workers while it is up. Exit
 * signals, and messages to the primary, always go over the channel.
 */
import { ExchangeLink, type ExchangeLinkOptions } from "../../exchange/worker-link/exchange-link.js";
import {
  delivery,
  localAsks,
  localMembers,
  localNames,
  releaseSenders,
  useUplink,
} from "../../groups/local/present.js";
import { Message } from "../../groups/message.js";
import { Pid } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import type { Portable } from "../../tcp/protocol/sources.js";
import type { SignalEnvelope } from "../channel/messages.js";
import type { SignalSink } from "../channel/remote-signals.js";

/** Milliseconds that a start waits for the exchange, before the worker accepts without it. */
const CONNECT_TIMEOUT = 2_000;

export class WorkerExchange implements SignalSink {
  readonly #channel: SignalSink;
  readonly #link: ExchangeLink;

  /**
   * @param channel to the primary
   * @param deliver a message for a process of this worker
   */
  constructor(
    link: Pick<ExchangeLinkOptions, "path" | "transport" | "worker">,
    channel: SignalSink,
    deliver: (signal: SignalEnvelope) => void,
  ) {
    this.#channel = channel;
    this.#link = new ExchangeLink({
      ...{ ...link, delivery },
      ...{ members: localMembers, names: localNames, asks: localAsks },
      onSignal: deliver,
      onRemote: (serial, message) => processOf(new Pid(link.worker, serial))?.deliver(message),
      onRelieved: releaseSenders,
    });
    useUplink(this.#link);
  }

  /** Resolves when the exchange knows this worker, or after 2 s. */
  async ready(): Promise<void> {
    await this.#link.ready(CONNECT_TIMEOUT);
  }

  drops(kind: SignalEnvelope["kind"]): boolean {
    return this.#link.up && kind !== "exit" ? false : this.#channel.drops(kind);
  }

  sendToServer(to: Pid, message: unknown): void {
    this.#link.sendToServer(to, Message.of(message as Portable));
  }

  signal(signal: SignalEnvelope): void {
    const { kind, to, payload, pids } = signal;
    const [worker, serial] = to;
    // Serial 1 of a worker is its process in the primary.
    if (kind !== "exit" && worker > 0 && serial > 1 && this.#link.signal({ to, kind, payload, pids })) return;
    this.#channel.signal(signal);
  }
}

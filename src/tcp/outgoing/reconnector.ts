/**
 * Process that keeps one outgoing connection open: it is the parent of the connection, and starts a new one when that
 * has ended. Its supervisor sees no restart.
 *
 *   connecting ──open──▶ open ──ended──▶ waiting ──delay──▶ connecting
 *       └───────────────failed──────────────▲
 *
 * The delay doubles with each attempt in a row, and begins anew after a connection that stayed open for the longest
 * delay: a server that accepts and closes at once is not connected to five times a second.
 */
import { type ExitReason, formatReason, ProcessExit } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { ExitMessage, Process } from "../../otp/process/process.js";
import { stopChild } from "../../otp/supervisor/child-shutdown.js";
import { type CheckedDelay, delayOf } from "../../otp/supervisor/restart-delay.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { type OutgoingEvent, outgoingEvents } from "../observe/events.js";
import { ConnectError } from "./connect-error.js";
import { Dial } from "./dial.js";
import { type Opening, open, type Place, under } from "./open.js";
import type { CheckedConnect } from "./options.js";

/** Time of the connection to finish at shutdown, in milliseconds; its own deadlines are shorter. */
const SHUTDOWN = 5_000;

export type ReconnectorState = "connecting" | "open" | "waiting";

export class Reconnector extends Process {
  readonly #connect: CheckedConnect;
  readonly #delay: CheckedDelay;
  #state: ReconnectorState = "connecting";
  #opening: Opening | undefined = undefined;
  #connection: Pid | undefined = undefined;
  /** `undefined` until the first connection is open. */
  #openedAt: number | undefined = undefined;
  /** Attempts in a row without a connection that stayed open. */
  #attempts = 0;
  #failure: string | undefined = undefined;
  #timer: TimerRef = undefined;
  #stopping = false;
  /** The first connection; rejects when the process exits before. */
  readonly firstOpen: Promise<Pid>;
  #resolveFirst!: (pid: Pid) => void;
  #rejectFirst!: (error: Error) => void;

  constructor(connect: CheckedConnect, parent: Process | undefined) {
    super(parent);
    this.trapExit = true;
    this.#connect = connect;
    this.#delay = connect.reconnect as CheckedDelay;
    this.firstOpen = new Promise((resolve, reject) => {
      this.#resolveFirst = resolve;
      this.#rejectFirst = reject;
    });
    this.firstOpen.catch(() => {});
    this.#attempt();
  }

  get label(): string {
    return this.#connect.name ?? this.#connect.protocol.name;
  }

  override get initialCall(): string {
    return "supervisor:init/1";
  }

  get state(): ReconnectorState {
    return this.#state;
  }

  /** `localhost:5432`, or the path. */
  get place(): string {
    return Dial.place(this.#connect);
  }

  /** The present connection, while there is one. */
  get connection(): Pid | undefined {
    return this.#connection;
  }

  #attempt(): void {
    this.#timer = undefined;
    this.#state = "connecting";
    const place: Place = (start) => under(this.#stopping ? undefined : this)(start);
    this.#opening = open(this.#connect, place, (pid) => this.#started(pid));
    this.#opening.pid.then(this.#resolveFirst, (error: unknown) => this.#failed(error));
  }

  /** Before the connection runs: its exit may come at once. */
  #started(pid: Pid): void {
    this.#opening = undefined;
    this.#state = "open";
    this.#connection = pid;
    this.#openedAt = clock.now();
    this.#failure = undefined;
    this.#publish({ what: "open" });
  }

  #failed(error: unknown): void {
    this.#opening = undefined;
    if (this.#stopping || !this.alive) return;
    const [code, message] =
      error instanceof ConnectError
        ? [error.code, error.message]
        : ["other", error instanceof Error ? error.message : String(error)];
    this.#failure = message;
    this.#retry({ what: "failed", code, message });
  }

  #retry(event: Pick<OutgoingEvent, "what" | "code" | "message">): void {
    this.#state = "waiting";
    const retryMs = delayOf(this.#delay, ++this.#attempts);
    this.#timer = clock.setTimeout(() => this.#attempt(), retryMs);
    this.#publish({ ...event, retryMs });
  }

  #publish(event: Pick<OutgoingEvent, "what" | "code" | "message" | "retryMs">): void {
    if (!outgoingEvents.hasSubscribers) return;
    const { name, protocol } = this.#connect;
    outgoingEvents.publish({ pid: this.pid, protocol: protocol.name, name, place: this.place, ...event });
  }

  protected receive(message: unknown): void | Promise<void> {
    if (!(message instanceof ExitMessage)) return;
    const { exit, reason } = message;
    if (exit === this.#connection) return this.#connectionEnded(reason);
    // Before it is open, the linked process is the one that waits for it: without it the attempts would never end.
    if (exit === this.parent?.pid || reason !== "normal" || this.#openedAt === undefined)
      return this.#stop(reason);
  }

  /** `shutdown` was asked for, by `exit(pid, "shutdown")`; any other end is followed by a new connection. */
  #connectionEnded(reason: ExitReason): void {
    this.#connection = undefined;
    if (reason === "shutdown") return this.exitWith(reason);
    if (clock.now() - (this.#openedAt as number) >= this.#delay.max) this.#attempts = 0;
    this.#retry({ what: "ended", message: formatReason(reason) });
  }

  async #stop(reason: ExitReason): Promise<void> {
    this.#stopping = true;
    clock.clearTimeout(this.#timer);
    this.#opening?.cancel();
    if (this.#connection) await stopChild(this, this.#connection, SHUTDOWN, "temporary");
    this.exitWith(reason);
  }

  override systemTerminate(reason: ExitReason): void {
    this.awaitHandler(this.#stop(reason));
  }

  protected override ended(reason: ExitReason): void {
    this.#stopping = true;
    clock.clearTimeout(this.#timer);
    this.#opening?.cancel();
    this.#rejectFirst(new ProcessExit(reason, `connect to ${this.place}: ended before it was open`));
  }

  inspect(): Record<string, unknown> {
    return {
      protocol: this.#connect.protocol.name,
      state: this.#state,
      place: this.place,
      connection: this.#connection?.toString(),
      attempts: this.#attempts,
      failure: this.#failure,
    };
  }
}

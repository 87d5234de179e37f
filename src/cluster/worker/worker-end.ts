/** How a worker ends: drained, after a failed start, or by an exception. Its last snapshot is sent and its log flushed. */
import { EXIT } from "../../config/exit-codes.js";
import { unhandledRejections } from "../../otp/events.js";
import { type ExitReason, formatReason, reasonOf } from "../../otp/process/exit-reason.js";
import { Pid } from "../../otp/process/pid.js";
import { clock } from "../../otp/time/clock.js";
import { stopOutgoing } from "../../tcp/outgoing/supervisor.js";
import { MIN_STOP_MS } from "../../tcp/protocol/compiled/instances.js";
import { stopServers } from "../../tcp/server.js";
import type { Log } from "../../telemetry/log/log.js";
import type { Boot } from "../channel/boot-message.js";
import type { ToPrimary } from "../channel/messages.js";
import { exceptionSource } from "./exception-source.js";
import type { WorkerListeners } from "./listeners/worker-listeners.js";
import { continueStopped } from "./watch/orphaned-siblings.js";

/** Milliseconds within which the children of a primary that is gone have another parent. */
const GIVEN_AWAY_MS = 1_000;

/** The worker that ends. */
export interface EndingWorker {
  readonly boot: Boot;
  readonly log: Log;
  readonly listeners: WorkerListeners;
  /** Supervisor of the listeners; `undefined` while they start. */
  readonly root: () => Pid | undefined;
  /** @param sent called when the message has left */
  readonly post: (message: ToPrimary, sent?: () => void) => void;
  readonly sendSnapshot: (sent?: () => void) => void;
}

export class WorkerEnd {
  /** Whether it stops or exits. */
  begun = false;
  readonly #worker: EndingWorker;

  constructor(worker: EndingWorker) {
    this.#worker = worker;
  }

  /** Stops accepting, drains, and exits. */
  async stop(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    const { listeners, root } = this.#worker;
    listeners.closeCopies();
    const deadline = clock.now() + listeners.shutdown;
    // Without a root the start has not finished: there are no connections, and the primary may have no socket any more.
    try {
      const tree = root();
      if (tree) await stopServers(tree);
      // After them: what clients have sent may still have to be passed on.
      await stopOutgoing();
      await this.#endProtocols(deadline - clock.now());
      this.#exit(0);
    } catch (error) {
      this.fatal("the worker could not drain", error);
    }
  }

  /** The supervisor of the listeners has given up. */
  async treeEnded(reason: ExitReason): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    this.#worker.log.error(`Supervisor ${this.#worker.listeners.supervisor} ended: ${formatReason(reason)}`);
    await this.#endProtocols(0);
    this.#exit(EXIT.gaveUp);
  }

  /** `worker.stop` of the protocols. @param ms time that is left */
  async #endProtocols(ms: number): Promise<void> {
    const { listeners, log } = this.#worker;
    for (const failure of await listeners.end(Math.max(MIN_STOP_MS, ms))) log.error(failure);
  }

  /** One forgotten `await` in a protocol must not end the connections of all other clients. */
  rejected(thrown: unknown): void {
    const { worker } = this.#worker.boot;
    unhandledRejections.publish({
      pid: new Pid(worker, 1),
      label: `worker ${worker}`,
      reason: reasonOf(thrown),
    });
  }

  uncaught(error: unknown, origin: string): void {
    // Under `--unhandled-rejections=strict` Node says it twice; the second event is `unhandledRejection`.
    if (origin === "unhandledRejection") return;
    const { text, fields, address } = exceptionSource(this.#worker.listeners.all);
    if (address !== undefined) this.#worker.post({ t: "threw", d: address });
    this.fatal(`${origin} outside of any process`, error, text, fields);
  }

  /** Logs the error, and exits. */
  fatal(what: string, error: unknown, source = "", fields = {}): void {
    const reason = reasonOf(error);
    const err = reason instanceof Error ? reason : formatReason(reason);
    this.#worker.log.error(`${what}: the worker exits${source}`, { err, ...fields });
    this.#exit(1);
  }

  /** The start has failed: the primary reports the message. */
  fail(code: number, message: string): void {
    this.#worker.post({ t: "failed", d: { code, message } }, () => this.#exitNow(code));
  }

  /** Exits after the last snapshot is sent and the log is flushed. */
  #exit(code: number): void {
    this.begun = true;
    const { listeners, log, sendSnapshot } = this.#worker;
    sendSnapshot(() => void Promise.resolve(log.close()).then(() => this.#exitNow(code)));
    // A client that is accepted from here on would end with it.
    listeners.leave();
  }

  /**
   * Calls `then` at once, unless the primary is dying: the kernel closes its channel a moment before it gives its
   * children away.
   */
  #whenOrphaned(then: () => void, until = clock.now() + GIVEN_AWAY_MS): void {
    if (process.connected || process.ppid !== this.#worker.boot.primary || clock.now() >= until)
      return then();
    clock.setTimeout(() => this.#whenOrphaned(then, until), 5);
  }

  /** Exit handlers of packages run, and may block: the primary kills the worker then, and takes this code for its status. */
  #exitNow(code: number): void {
    const { boot, post } = this.#worker;
    const exit = () => {
      // Without connections it may be gone before its watchdog thread has looked: nothing else continues the others.
      if (process.ppid !== boot.primary) continueStopped(boot.primary, process.ppid);
      process.exit(code);
    };
    post({ t: "exiting", d: { code } }, () => this.#whenOrphaned(exit));
  }
}

/**
 * Tells systemd how the service is (Type=notify): READY=1 when every worker accepts, STOPPING=1, WATCHDOG=1, status text.
 *
 * Node cannot send to a UNIX datagram socket, so `systemd-notify` does, which is part of systemd: 5 ms of its CPU and
 * 2 ms of this OS process for each message, and it waits until systemd has read it. The primary serves no clients.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { environment, type NotifySocket } from "../../config/config.js";
import type { Stats } from "../../control/stats.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";
import { plural } from "../../text/plural.js";

const COMMAND = "systemd-notify";
/** Milliseconds between two looks at the status text, where systemd has no watchdog. */
const STATUS_EVERY = 30_000;

/** @param stats of the running program */
export function openNotifier(
  socket: NotifySocket,
  stats: () => Pick<Stats, "status" | "workers" | "totals">,
  log: Pick<Log, "error">,
): SystemdNotifier {
  const status = (): string => {
    const { status, workers, totals } = stats();
    const running = workers.filter(({ state }) => state === "running").length;
    return `${status}: ${running} of ${plural(workers.length, "worker")}, ${plural(totals.active, "connection")}`;
  };
  return new SystemdNotifier({
    socket,
    status,
    onFailure: (message) => log.error(message),
    path: environment().PATH,
  });
}

export interface NotifierOptions {
  readonly socket: NotifySocket;
  /** One line: `running, 2 workers, 17 connections`. */
  status(): string;
  /** Called once, when systemd cannot be told. */
  onFailure(message: string): void;
  /** Search path of commands. */
  readonly path: string | undefined;
  /** Default: `systemd-notify`. */
  readonly command?: string;
}

export class SystemdNotifier {
  readonly #options: NotifierOptions;
  readonly #interval: number;
  #timer: TimerRef = undefined;
  /** The text that systemd has. */
  #told = "";
  #stopping = false;
  #failed = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    // Half of the time after which systemd ends the service, as sd_watchdog_enabled(3) recommends.
    const { watchdogMs } = options.socket;
    this.#interval = watchdogMs === undefined ? STATUS_EVERY : Math.ceil(watchdogMs / 2);
    // Also while the program starts, which TimeoutStartSec= bounds.
    this.#schedule();
  }

  /** Every worker accepts. */
  ready(): void {
    this.#send("READY=1");
  }

  /** The graceful stop has begun: WATCHDOG=1 goes on until the end. */
  stopping(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#send("STOPPING=1");
  }

  close(): void {
    clock.clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer = clock.setTimeout(() => this.#tick(), this.#interval, true);
  }

  #tick(): void {
    this.#schedule();
    if (this.#options.socket.watchdogMs !== undefined) this.#send("WATCHDOG=1");
    else if (this.#options.status() !== this.#told) this.#send();
  }

  #send(...states: readonly string[]): void {
    const { socket, status, path: PATH, command = COMMAND } = this.#options;
    this.#told = status();
    const sent = [...states, `STATUS=${this.#told}`];
    const env = { NOTIFY_SOCKET: socket.path, ...(PATH !== undefined && { PATH }) };
    // Errors of the platform come as exceptions or as events.
    try {
      this.#watch(spawn(command, sent, { env, stdio: "ignore" }));
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #watch(child: ChildProcess): void {
    child.unref();
    child.on("error", (error: NodeJS.ErrnoException) =>
      this.#fail(error.code === "ENOENT" ? "it is not installed, or not in PATH" : error.message),
    );
    child.on("exit", (code, signal) => {
      if (code !== 0) this.#fail(signal === null ? `exit code ${code}` : String(signal));
    });
  }

  #fail(why: string): void {
    // At a stop systemd may end it with the service.
    if (this.#failed || this.#stopping) return;
    this.#failed = true;
    this.#options.onFailure(
      `cannot notify systemd with ${COMMAND}: ${why}; use Type=exec without WatchdogSec= in the unit where it is missing`,
    );
  }
}

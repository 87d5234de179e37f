/** `serve` for tests: as `serve` of "drover", and it prints crashes, has clients, a clock and a bad network. */
import type { Framing } from "../framing/framing.js";
import { freezeMessages } from "../groups/message.js";
import { type CrashReport, type SupervisorReport, supervisorReports } from "../otp/events.js";
import { type ExitReason, formatReason } from "../otp/process/exit-reason.js";
import type { Pid } from "../otp/process/pid.js";
import { onDown } from "../otp/process/process.js";
import { type ManualClock, systemClock, useClock } from "../otp/time/clock.js";
import type { ConnectionClosed } from "../tcp/observe/events.js";
import type { LogLevel } from "../tcp/observe/protocol-log.js";
import type { Protocol } from "../tcp/protocol/protocol.js";
import { prepareListener, type ServeOptions, type Serving, start } from "../tcp/serve.js";
import { type LogLine, type Watcher, watch } from "./crash-watch.js";
import { type Faults, faulty } from "./faulty-transport.js";
import { FramedClient, type TestClient, type TestClientOptions } from "./test-client.js";

/** A report of a crashed process: its pid, reason, ancestors, and what it was doing. */
export type Crash = CrashReport;

export interface TestServeOptions<O = any> extends ServeOptions<O> {
  /**
   * What is printed, by `console.error`: lines of this level and above, `"silent"`: nothing. A function gets every line
   * of this OS process instead, from `trace` on. Default `"error"`: crashes, and lines that the protocol logs as errors.
   */
  readonly log?: LogLevel | "silent" | ((line: LogLine) => void);
  /** Gets the crashes of this server, which are then not printed. */
  readonly onCrash?: (crash: Crash) => void;
  /** Clock of all timers of drover while this server runs; `stop` advances it. Default: the present clock. */
  readonly clock?: ManualClock;
  /** Faults of the network, for what clients send. Default: none. */
  readonly faults?: Faults;
}

/** A server under test. */
export interface TestServer<In, Out> extends Serving {
  /** Opens a connection; the client speaks the protocol's framing. `stop` closes it. */
  connect(options?: TestClientOptions): Promise<TestClient<In, Out>>;
  /** Crashes of this server so far: `assert.deepEqual(server.crashes, [])`. */
  readonly crashes: readonly Crash[];
  /** Resolves after `stop`. @throws Error with the cause when the server has ended by itself */
  readonly ended: Promise<void>;
}

/**
 * Serves a protocol in the OS process of the test, on a free port of loopback unless told otherwise.
 * @throws as `serve` of "drover"
 */
export async function serve<In, Out, O = any, T = any>(
  protocol: Protocol<any, any, In, Out, T, any, any, O, any>,
  options: TestServeOptions<NoInfer<O>> = {},
): Promise<TestServer<In, Out>> {
  const { log = "error", onCrash, clock, faults, ...given } = options;
  const own: ServeOptions = given.path === undefined ? { port: 0, ...given } : given;
  const server = new Server(protocol.framing, log, onCrash);
  const restore = clock && useClock(clock);
  try {
    const listener = await prepareListener(protocol, own, (transport) =>
      faults === undefined ? transport : faulty(transport, faults),
    );
    const { root, stop } = await start([listener]);
    return server.serving(listener.serving(), root, async () => {
      await stopped(stop(), clock);
      restore?.();
    });
  } catch (error) {
    server.forget();
    restore?.();
    throw error;
  }
}

/** Real milliseconds for each 100 of the clock: what closes a file or a pool in `worker.stop` must get its turns. */
const REAL_STEP = 10;

/** Time must pass for the deadlines of a stop. */
async function stopped(stop: Promise<void>, clock: ManualClock | undefined): Promise<void> {
  let done = false;
  const end = stop.finally(() => {
    done = true;
  });
  // Awaited below; until then its failure is no floating one.
  end.catch(() => {});
  while (clock && !done) {
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimeout(resolve, REAL_STEP);
      end
        .catch(() => {})
        .finally(() => {
          systemClock.clearTimeout(timer);
          resolve();
        });
    });
    await clock.advance(100);
  }
  await end;
}

let freezing = 0;

class Server implements Watcher {
  readonly prints: LogLevel | undefined;
  readonly onLine: Watcher["onLine"];
  readonly crashes: Crash[] = [];
  root: Pid | undefined = undefined;
  readonly #framing: Framing<any, any>;
  readonly #onCrash: TestServeOptions["onCrash"];
  readonly #clients = new Set<FramedClient>();
  readonly #unwatch: () => void;
  /** Connections that ended before their client has come back from `connect`, by port. */
  readonly #early = new Map<number, ConnectionClosed>();
  #lastReport: SupervisorReport | undefined = undefined;
  #stopping = false;

  constructor(
    framing: Framing<any, any>,
    log: TestServeOptions["log"],
    onCrash: TestServeOptions["onCrash"],
  ) {
    this.#framing = framing;
    this.prints = typeof log === "function" || log === "silent" ? undefined : log;
    this.onLine = typeof log === "function" ? log : undefined;
    this.#onCrash = onCrash;
    this.#unwatch = watch(this);
    supervisorReports.subscribe(this.#onReport);
    // In production each OS process has a copy of its own: a handler that changes one shows here, not there.
    if (freezing++ === 0) freezeMessages(true);
  }

  forget(): void {
    this.#unwatch();
    supervisorReports.unsubscribe(this.#onReport);
    if (--freezing === 0) freezeMessages(false);
  }

  readonly #onReport = (report: unknown) => {
    this.#lastReport = report as SupervisorReport;
  };

  serving<In, Out>(
    serving: Omit<Serving, "stop">,
    root: Pid,
    stop: () => Promise<void>,
  ): TestServer<In, Out> {
    this.root = root;
    const ended = new Promise<void>((resolve, reject) =>
      onDown(root, (reason) => (this.#stopping ? resolve() : reject(this.#endedBy(reason)))),
    );
    ended.catch(() => {});
    let stopped: Promise<void> | undefined;
    return {
      ...serving,
      crashes: this.crashes,
      ended,
      connect: (options = {}) => this.#connect(serving, options),
      stop: () => (stopped ??= this.#stop(stop)),
    };
  }

  #endedBy(reason: ExitReason): Error {
    const { supervisor, reason: cause, offender } = this.#lastReport ?? {};
    const why = cause === undefined ? "" : `: ${supervisor}: ${offender?.id}: ${formatReason(cause)}`;
    return new Error(`the server has ended by itself (${formatReason(reason)})${why}`);
  }

  async #connect(
    { host, port }: Pick<Serving, "host" | "port">,
    options: TestClientOptions,
  ): Promise<FramedClient> {
    const target = port === 0 ? { path: host } : { address: reachable(host), port };
    const client = await FramedClient.connect(target, this.#framing, options);
    this.#clients.add(client);
    const early = this.#early.get(client.port);
    if (early) this.closed(early);
    return client;
  }

  async #stop(stop: () => Promise<void>): Promise<void> {
    this.#stopping = true;
    await stop();
    for (const client of this.#clients) client.abandon();
    this.forget();
  }

  crashed(report: CrashReport): boolean {
    this.crashes.push(report);
    this.#onCrash?.(report);
    return this.#onCrash !== undefined;
  }

  closed(event: ConnectionClosed): void {
    const { port } = event.via ?? event.peer;
    const client = [...this.#clients].find((one) => one.port === port);
    if (client === undefined) return void this.#early.set(port, event);
    this.#early.delete(port);
    this.#clients.delete(client);
    client.ended(event);
  }
}

/** An address that can be connected to: a server may listen on all of them. */
function reachable(host: string): string {
  return host === "::" ? "::1" : host === "0.0.0.0" ? "127.0.0.1" : host;
}

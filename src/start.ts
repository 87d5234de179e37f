/**
 * `drover start`: from the command line to a running tree and back to an exit code. Everything that can be
 * refused is refused before the first worker is started.
 */
import { adminChild, alreadyRunning, localToken, probeInstance } from "./admin/admin.js";
import { LISTENER } from "./cluster/envelope.js";
import { startFailure } from "./cluster/failure.js";
import { Operations } from "./cluster/operations.js";
import { showAddress } from "./cluster/picture.js";
import { Primary, type PrimaryOptions } from "./cluster/primary.js";
import { prepare, type Release, ReleaseError } from "./cluster/release.js";
import {
  type Config,
  EXIT,
  environment,
  explain,
  type GivenToken,
  inheritedSocket,
  type Loaded,
  loadConfig,
  stopCompiler,
  takeAdminToken,
  workerCount,
} from "./config.js";
import { clock } from "./otp/clock.js";
import { formatReason, ProcessExit } from "./otp/exit.js";
import { type Log, openLog } from "./telemetry/log.js";
import { Metrics } from "./telemetry/metrics.js";
import { maxDescriptors } from "./telemetry/os-process.js";
import { type Choice, chooseTransport } from "./transport/choose.js";

export interface Program {
  readonly version: string;
  /** The file that workers and try-outs run. */
  readonly exec: string;
  /** After `start`: the protocol, `echo` when there is none. */
  readonly positionals: readonly string[];
}

/** Descriptors that a worker needs besides its connections, with room to spare. */
export const RESERVED_DESCRIPTORS = 128;
/** A second signal ends the program by then, whatever still holds it. */
const HARD_STOP = 900;

/**
 * Runs the program until it is asked to stop or gives up.
 * @returns the exit code
 * @throws ConfigError when the configuration is refused
 */
export async function startProgram({ version, exec, positionals }: Program): Promise<number> {
  const descriptors = maxDescriptors();
  const loaded = await loadConfig(
    descriptors > RESERVED_DESCRIPTORS ? { maxDescriptors: descriptors - RESERVED_DESCRIPTORS } : {},
  );
  const { config } = loaded;
  const [named = "echo", ...more] = positionals;
  if (more.length > 0)
    return refuse(
      EXIT.usage,
      `start takes one protocol, got also ${more.map((one) => `"${one}"`).join(", ")}`,
    );
  const listenFd = inheritedSocket(environment(), process.pid, loaded.origins);
  const given = await takeAdminToken(config);
  const running = await probeInstance(config.control);
  if (running) return refuse(EXIT.unavailable, alreadyRunning(config.control, running).message);
  let release: Release;
  let transport: Choice;
  try {
    transport = await chooseTransport(config.transport);
  } catch (error) {
    return refuse(EXIT.badConfig, (error as Error).message);
  }
  try {
    release = await prepare(named, process.cwd(), exec);
  } catch (error) {
    if (error instanceof ReleaseError) return refuse(EXIT.noProtocol, error.message);
    throw error;
  } finally {
    await stopCompiler();
  }
  return new Run(loaded, release, transport, { version, exec, given, listenFd }).run();
}

class Run {
  readonly #config: Config;
  readonly #loaded: Loaded;
  readonly #release: Release;
  readonly #transport: Choice;
  readonly #version: string;
  readonly #exec: string;
  readonly #log: Log;
  #options: PrimaryOptions | undefined = undefined;
  #primary: Primary | undefined = undefined;
  /** The one that was really taken: 0 was asked for any. */
  #adminPort = 0;
  readonly #given: GivenToken;
  readonly #listenFd: number | undefined;
  #stops = 0;

  constructor(
    loaded: Loaded,
    release: Release,
    transport: Choice,
    {
      version,
      exec,
      given,
      listenFd,
    }: Pick<Program, "version" | "exec"> & {
      given: GivenToken;
      listenFd: number | undefined;
    },
  ) {
    this.#config = loaded.config;
    this.#loaded = loaded;
    this.#release = release;
    this.#transport = transport;
    this.#version = version;
    this.#exec = exec;
    this.#given = given;
    this.#listenFd = listenFd;
    const { logLevel: level, logFormat: format, name } = this.#config;
    this.#log = openLog({ level, format, color: this.#color(), worker: 0, name });
  }

  async run(): Promise<number> {
    const { host, port } = this.#config;
    for (const warning of [...this.#loaded.warnings, ...this.#given.warnings]) this.#log.warn(warning);
    this.#log.info(`transport ${this.#transport.transport.name}: ${this.#transport.why}`);
    try {
      this.#options = this.#primaryOptions();
      this.#primary = new Primary(this.#options);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!code?.startsWith("E")) throw error;
      const advice = this.#listenFd === undefined ? bindAdvice(code, host, port) : undefined;
      return this.#end(EXIT.unavailable, advice ?? message);
    }
    this.#listenToSignals();
    try {
      await this.#primary.start([this.#adminChild()]);
    } catch (error) {
      await this.#primary.gone();
      if (this.#stops > 0) return this.#end(EXIT.ok);
      const { code, message } = startFailure(error instanceof ProcessExit ? error.reason : error);
      return this.#end(code ?? EXIT.unavailable, message);
    }
    this.#ready();
    const reason = await this.#primary.ended();
    await this.#primary.gone();
    if (this.#stops > 0) return this.#end(EXIT.ok);
    return this.#end(EXIT.gaveUp, `gave up: ${formatReason(reason)}; the reports above say why`);
  }

  #primaryOptions(): PrimaryOptions {
    const config = this.#config;
    const room = Math.max(1, maxDescriptors() - RESERVED_DESCRIPTORS);
    return {
      config,
      version: this.#version,
      protocol: this.#release,
      transport: this.#transport.transport.name,
      listenFd: this.#listenFd,
      exec: this.#exec,
      maxConnections: (workers) =>
        config.maxConnections === "auto" ? workers * room : Math.min(config.maxConnections, workers * room),
      color: this.#color(),
      metrics: new Metrics({
        version: this.#version,
        node: process.version,
        protocol: this.#release.name,
        listener: LISTENER,
        transport: this.#transport.transport.name,
        handlerLatency: config.handlerLatency === "on",
      }),
      log: this.#log,
      admin: () => this.#admin(),
      explain: () => explain(config, this.#loaded.origins),
      onStop: () => this.#stop("asked over the control socket"),
    };
  }

  #adminChild() {
    const { adminHost: host, adminPort: port, control: socketPath } = this.#config;
    const control = new Operations(this.#primary as Primary, this.#options as PrimaryOptions);
    const onListening = (taken: number) => {
      this.#adminPort = taken;
    };
    const token = this.#given.token ?? localToken(host);
    return adminChild({ control, host, port, socketPath, token, onListening });
  }

  #admin(): string {
    return showAddress(this.#config.adminHost, this.#adminPort);
  }

  #ready(): void {
    const { address, port } = (this.#primary as Primary).address;
    const workers = workerCount(this.#config);
    this.#log.info(
      `drover ${this.#version} serves ${this.#release.name} on ${showAddress(address, port)} with ${workers} worker${workers === 1 ? "" : "s"}; admin on ${this.#admin()}`,
    );
    // What pm2 waits for with wait_ready.
    if (process.send) process.send("ready");
  }

  #listenToSignals(): void {
    process.on("SIGTERM", () => this.#stop("SIGTERM"));
    process.on("SIGINT", () => this.#stop("SIGINT"));
    process.on("SIGHUP", () => this.#log.warn("SIGHUP: there is no reload yet; nothing was changed"));
    process.on("SIGUSR2", () => {
      this.#log.reopen();
      this.#primary?.reopenLogs();
    });
    // pm2's shutdown_with_message.
    process.on("message", (message) => {
      if (message === "shutdown") this.#stop("shutdown message");
    });
  }

  #stop(why: string): void {
    const primary = this.#primary as Primary;
    this.#stops++;
    if (this.#stops === 1) {
      this.#log.info(
        `stopping (${why}): connections get up to ${this.#config.shutdown / 1000} s; a second signal stops at once`,
      );
      void primary.shutdown();
      return;
    }
    primary.hardStop();
    clock.setTimeout(() => process.exit(EXIT.ok), HARD_STOP, true);
  }

  #color(): boolean {
    return process.stdout.isTTY === true && !environment().NO_COLOR;
  }

  async #end(code: number, message?: string): Promise<number> {
    await this.#log.close();
    return message === undefined ? code : refuse(code, message);
  }
}

/** What to type instead. */
export function bindAdvice(code: string, host: string, port: number): string | undefined {
  const place = showAddress(host, port);
  if (code === "EADDRINUSE")
    return `${place} is taken by another program: stop that one, or choose another --port`;
  if (code === "EACCES")
    return `no right to bind ${place}: ports below 1024 need root, so choose another --port`;
  if (code === "EADDRNOTAVAIL") return `${place} is no address of this machine: choose another --host`;
  return undefined;
}

/** Says in one line why the program does not go on. @returns the exit code */
export function refuse(code: number, message: string): number {
  process.stderr.write(`drover: ${message}\n`);
  return code;
}

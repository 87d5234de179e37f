// The server under chaos: the built program with three listeners (plain, PROXY, TLS), asked over its control socket.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "../fuzz/random.js";
import type { OsProcess } from "./os-processes.js";
import { PROTOCOL } from "./protocol.js";
import { slownessOf } from "./slowness.js";

export const LISTENERS = ["main", "proxied", "secure"] as const;
export type ListenerName = (typeof LISTENERS)[number];

/** So many that no number of faults exhausts them: what the run tests is recovery, not giving up. */
const RESTARTS = 100_000;
const START_MS = 60_000;
/** Until a start that failed is tried again, as a service manager would do it. */
const RETRY_MS = 100;

interface Stats {
  workers: { worker: number; osPid: number; state: string; residentBytes: number; heapUsedBytes: number }[];
  listeners: { listener: string; acceptingWorkers: number }[];
}

export interface ServerOptions {
  /** Source of the protocol. Default: that of chaos. */
  readonly protocol?: string;
  /** Default: 2. */
  readonly workers?: number;
  /** How long a worker may hang. Default 2 s: shorter than the 5 s in which its clients must hear something. */
  readonly watchdog?: string;
  /** Most that the old generation of each heap may take. Default: that of node. */
  readonly heapMiB?: number;
}

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "drover-chaos-"));
  readonly ports: Record<ListenerName, number>;
  /** Number of workers that it should have. */
  readonly wanted: number;
  /** A small file system of its own for the log; `undefined` where mounting is not allowed. */
  readonly logDisk: string | undefined;
  /** OS processes of the program that was killed last. */
  orphans: readonly OsProcess[] = [];
  /** How many times slower than usual this machine is. */
  slowness = 1;
  readonly #root: string;
  readonly #nodeOptions: string;
  #child: ChildProcess | undefined;
  #reader: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #starting: Promise<void> = Promise.resolve();

  private constructor(root: string, ports: number[], options: ServerOptions) {
    const { protocol = PROTOCOL, heapMiB, workers = 2, watchdog = "2s" } = options;
    this.#root = root;
    this.wanted = workers;
    this.#nodeOptions = heapMiB ? `--max-old-space-size=${heapMiB}` : "";
    this.ports = { main: ports[0]!, proxied: ports[1]!, secure: ports[2]! };
    const disk = join(this.folder, "log");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "drover-chaos", disk]).status === 0;
    this.logDisk = mounted ? disk : undefined;
    execFileSync("mkfifo", [this.#pipe]);
    this.#writeFiles(protocol, watchdog);
    process.once("exit", this.#abandon);
  }

  static async open(root: string, options: ServerOptions = {}): Promise<Server> {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    return new Server(root, ports, options);
  }

  get osPid(): number {
    return this.#child!.pid!;
  }

  get logFile(): string {
    return join(this.folder, "log", "drover.log");
  }

  /** The reader of the program's standard output. */
  get reader(): number {
    return this.#reader!.pid!;
  }

  get #pipe(): string {
    return join(this.folder, "output");
  }

  #writeFiles(protocol: string, watchdog: string): void {
    const certificates = join(this.#root, "test/support/certificates");
    const listener = (name: ListenerName, more: object = {}) => ({
      ...{ name, protocol: "./chaos.js", host: "127.0.0.1", port: this.ports[name] },
      ...more,
    });
    const config = {
      ...{ name: "chaos", workers: this.wanted, adminPort: 0, control: "./control.sock" },
      ...{ watchdog, maxRestarts: RESTARTS, logFile: this.logFile },
      listeners: [
        listener("main"),
        listener("proxied", { proxy: { from: ["127.0.0.0/8"] } }),
        listener("secure", {
          tls: { cert: join(certificates, "server.crt"), key: join(certificates, "server.key") },
        }),
      ],
    };
    writeFileSync(join(this.folder, "chaos.js"), protocol);
    writeFileSync(join(this.folder, "chaos.json"), JSON.stringify(config, null, 2));
  }

  /** A time of a usual machine, on this one. */
  patience(ms: number): number {
    return Math.round(ms * this.slowness);
  }

  /** The first start of a run: it shows how slow this machine is. */
  async startMeasured(): Promise<void> {
    const from = performance.now();
    await this.start();
    this.slowness = slownessOf(performance.now() - from);
  }

  /** Starts the program and waits until every worker accepts. */
  async start(): Promise<void> {
    // It ends with the last program that writes to it.
    if (this.#reader?.exitCode !== null || this.#reader.signalCode) this.readOutput();
    // Read and write: opening it for writing alone would fail while it has no reader. The program gets a copy that
    // only writes, so that the pipe breaks when its reader ends.
    const both = openSync(this.#pipe, constants.O_RDWR);
    const output = openSync(this.#pipe, constants.O_WRONLY);
    const main = join(this.#root, "dist/main.js");
    this.#child = spawn(process.execPath, [main, "start", "--config", "chaos.json"], {
      cwd: this.folder,
      env: { ...process.env, NODE_OPTIONS: this.#nodeOptions },
      stdio: ["ignore", output, output],
      // Of its own group: Ctrl-C is for the run, which stops the server.
      detached: true,
    });
    const child = this.#child;
    this.#exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    closeSync(output);
    closeSync(both);
    const end = performance.now() + this.patience(START_MS);
    while (!(await this.isWhole())) {
      const over = child.exitCode ?? child.signalCode;
      if (over !== null || performance.now() > end)
        throw new Error(`${notStarted(over)}\n${this.#lastLines}`);
      await pause(50);
    }
  }

  get #lastLines(): string {
    return readFileSync(this.logFile, { encoding: "utf8", flag: "a+" }).split("\n").slice(-10).join("\n");
  }

  /** Starts the program after its death, again and again until it runs: its port may still be taken. */
  async #startAgain(): Promise<void> {
    const end = performance.now() + this.patience(START_MS);
    for (;;) {
      try {
        return await this.start();
      } catch (error) {
        if (performance.now() > end) throw error;
        await pause(RETRY_MS);
      }
    }
  }

  /** Begins to start the program after its death. `isWhole` says when it is back. */
  startAgain(): void {
    this.#starting = this.#startAgain();
    this.#starting.catch(() => {});
  }

  readOutput(): void {
    this.#reader = spawn("cat", [this.#pipe], { stdio: "ignore", detached: true });
  }

  /** Whether every wanted worker runs and accepts on every listener. */
  async isWhole(): Promise<boolean> {
    const stats = await this.stats().catch(() => undefined);
    if (!stats) return false;
    const running = stats.workers.filter(({ state }) => state === "running").length;
    return (
      running === this.wanted &&
      stats.workers.length === this.wanted &&
      stats.listeners.every(({ acceptingWorkers }) => acceptingWorkers === this.wanted)
    );
  }

  async stats(): Promise<Stats> {
    return JSON.parse(await this.ask("GET", "/stats"));
  }

  /** OS pids of the workers that run. */
  async workers(): Promise<number[]> {
    const { workers } = await this.stats();
    return workers.filter(({ state }) => state === "running").map(({ osPid }) => osPid);
  }

  /** As `workers`, once there is one and the primary has time for the request. @throws Error when that takes too long */
  async someWorkers(): Promise<number[]> {
    const within = this.patience(15_000);
    const end = performance.now() + within;
    for (;;) {
      const found = await this.workers().catch(() => []);
      if (found.length > 0) return found;
      if (performance.now() > end) throw new Error(`no worker runs within ${within / 1000} s`);
      await pause(50);
    }
  }

  /** Pids of the open connections. */
  async connections(): Promise<string[]> {
    const { rows } = JSON.parse(await this.ask("GET", "/connections?limit=100"));
    return rows.map(({ pid }: { pid: string }) => pid);
  }

  /** Kills the process of a connection. @returns false when there was none any more */
  kill(pid: string): Promise<boolean> {
    return this.ask("POST", "/kill", { pid, reason: "kill" }).then(
      () => true,
      () => false,
    );
  }

  ask(method: "GET" | "POST", path: string, body?: object, usualMs = 5_000): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body ? { "content-type": "application/json" } : {};
      const options = { socketPath: join(this.folder, "control.sock"), path, method, headers, agent: false };
      const asked = request(
        { ...options, signal: AbortSignal.timeout(this.patience(usualMs)) },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part) => {
            text += part;
          });
          response.on("end", () =>
            response.statusCode === 200 ? resolve(text) : reject(new Error(`${path}: ${text}`)),
          );
          response.on("error", reject);
        },
      );
      asked.once("error", reject).end(body && JSON.stringify(body));
    });
  }

  /** @returns the exit code; `null` after a signal */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  /** Ends what is left and removes the folder. */
  async remove(): Promise<void> {
    await this.#starting.catch(() => {});
    if (this.#child?.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await this.#exited;
    }
    process.off("exit", this.#abandon);
    this.#abandon();
  }

  /** Also where this program ends without `remove`. */
  readonly #abandon = (): void => {
    this.#child?.kill("SIGKILL");
    this.#reader?.kill("SIGKILL");
    if (this.logDisk) spawnSync("umount", ["-l", this.logDisk]);
    rmSync(this.folder, { recursive: true, force: true });
  };
}

function notStarted(over: number | string | null): string {
  if (over === null) return `the server did not start in time. The end of its log:`;
  return `the server ended with ${over} while it started. The end of its log:`;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function oneWorker(server: Server, random: Random): Promise<number> {
  return random.pick(await server.someWorkers());
}

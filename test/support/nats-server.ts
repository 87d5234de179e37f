/** A real nats-server of a test: started, paused, killed and started again on one port. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find } from "./peers.js";
import { freePort } from "./ports.js";
import { eventually } from "./until.js";

const running = new Set<NatsServer>();
process.on("exit", () => {
  for (const server of running) server.kill();
});

export interface NatsSettings {
  /** Default: 127.0.0.1. */
  readonly address?: string;
  readonly port?: number;
  /** Text of its configuration file, besides the address. */
  readonly config?: string;
  readonly args?: readonly string[];
}

export class NatsServer {
  readonly address: string;
  readonly port: number;
  readonly #dir = mkdtempSync(join(tmpdir(), "drover-nats-"));
  readonly #args: readonly string[];
  #child: ChildProcess | undefined = undefined;
  #log = "";

  private constructor(port: number, { address = "127.0.0.1", config = "", args = [] }: NatsSettings) {
    this.address = address;
    this.port = port;
    const file = join(this.#dir, "nats.conf");
    writeFileSync(file, config);
    this.#args = ["-c", file, "-a", address, "-p", `${port}`, ...args];
  }

  static async start(settings: NatsSettings = {}): Promise<NatsServer> {
    const server = new NatsServer(settings.port ?? (await freePort()), settings);
    running.add(server);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://${this.address}:${this.port}`;
  }

  /** Starts it, or starts it again. */
  async start(): Promise<void> {
    const child = spawn(find("nats-server") as string, this.#args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-4_000);
    });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`nats-server has ended:\n${this.#log}`);
      return this.#accepts();
    });
  }

  async #accepts(): Promise<boolean> {
    const socket = connect(this.port, this.address);
    try {
      await once(socket, "connect");
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  /** Kills it for good. */
  async end(): Promise<void> {
    running.delete(this);
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      this.kill();
      await once(child, "exit");
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** For `afterAll`. */
export async function endNatsServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.end()));
}

// The server whose limits are measured: one worker, a listener for each limit of a protocol, and one whose limits are
// changed while it runs, so that "off" and "on" are the same OS process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = ["../..", ".."]
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, "package.json"))) as string;

/** Limits of a protocol, by the name of their listener. */
export const PROTOCOL_LIMITS = {
  plain: "",
  lifetime: 'lifetime: "1h"',
  first_frame: 'firstFrame: "30s"',
  frames_per_second: "framesPerSecond: 1_000_000",
  bytes_per_second: "bytesPerSecond: 1_000_000_000",
  // Limits that the attacker meets, and the honest client does not.
  frames_bound: "framesPerSecond: 500",
  bytes_bound: "bytesPerSecond: 100_000",
  inbound_bound: "workerInbound: 4 * 1024 * 1024",
  outbound_bound: "maxOutbound: 256 * 1024",
  first_frame_bound: 'firstFrame: "1s"',
} as const;
export type ListenerName = keyof typeof PROTOCOL_LIMITS;

const protocol = (name: string, limits: string) => `import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "${name}",
  framing: packet(4, { maxLength: 1024 * 1024 }),
  limits: { ${limits} },
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});
`;

export class LimitServer {
  readonly ports: Readonly<Record<ListenerName, number>>;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, ports: Record<ListenerName, number>) {
    this.#child = child;
    this.#folder = folder;
    this.ports = ports;
  }

  static async start(): Promise<LimitServer> {
    const folder = mkdtempSync(join(tmpdir(), "bench-limits-"));
    const names = Object.keys(PROTOCOL_LIMITS) as ListenerName[];
    for (const name of names)
      writeFileSync(join(folder, `${name}.ts`), protocol(name, PROTOCOL_LIMITS[name]));
    const listeners = names.map((name) => {
      return { name, protocol: `./${name}.ts`, host: "127.0.0.1", port: 0 };
    });
    const config = { name: "bench-limits", workers: 1, listeners, adminPort: 0, logFormat: "json" };
    writeFileSync(join(folder, "bench.json"), JSON.stringify(config));
    const child = spawn(
      process.execPath,
      [
        join(ROOT, "dist/main.js"),
        "start",
        "--config=bench.json",
        "--control=bench.sock",
        "--log-level=info",
      ],
      { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
    );
    let log = "";
    const lines = (text: Buffer) => {
      log += text;
    };
    child.stdout?.on("data", lines);
    while (!/ serves /.test(log)) await once(child.stdout as NodeJS.ReadableStream, "data");
    child.stdout?.off("data", lines).resume();
    const server = new LimitServer(child, folder, {} as Record<ListenerName, number>);
    const info = (await server.#ask("GET", "/info")) as {
      readonly listeners: readonly { readonly listener: ListenerName; readonly address: string }[];
    };
    for (const { listener, address } of info.listeners)
      (server.ports as Record<ListenerName, number>)[listener] = Number(address.split(":").at(-1));
    return server;
  }

  /** Changes a limit of the listener `plain`; `off` removes it. */
  async limit(limit: string, value: unknown): Promise<void> {
    await this.#ask("POST", "/limit", { limit, listener: "plain", value });
  }

  async reset(): Promise<void> {
    await this.#ask("POST", "/limit", { reset: true });
    for (const { address } of (await this.#ask("GET", "/bans")) as { address: string }[])
      await this.#ask("POST", "/unban", { address });
  }

  /** Sum of a counter with this reason. */
  async refused(): Promise<Record<string, number>> {
    const text = (await this.#ask("GET", "/metrics/now")) as string;
    const found = text.matchAll(/^drover_connections_(?:refused|closed)_total{.*reason="(\w+)".*} (\d+)$/gm);
    const sums: Record<string, number> = {};
    for (const [, reason = "", count] of found) sums[reason] = (sums[reason] ?? 0) + Number(count);
    return sums;
  }

  #ask(method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const socketPath = join(this.#folder, "bench.sock");
      const asking = request({ socketPath, method, path, headers }, (response) => {
        let text = "";
        response.on("data", (part) => {
          text += part;
        });
        response.on("end", () => {
          if (response.statusCode !== 200) return reject(new Error(`${method} ${path}: ${text}`));
          resolve(path === "/metrics/now" ? text : JSON.parse(text));
        });
      });
      asking.on("error", reject).end(body && JSON.stringify(body));
    });
  }

  /** Of primary and worker. */
  get osPids(): readonly number[] {
    const primary = this.#child.pid as number;
    const workers = readFileSync(`/proc/${primary}/task/${primary}/children`, "utf8").trim().split(" ");
    return [primary, ...workers.map(Number)];
  }

  /** CPU microseconds of primary and worker, all threads. */
  get cpuUs(): number {
    return this.osPids.reduce((sum, osPid) => sum + threadsUs(osPid), 0);
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await once(this.#child, "close");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Nanoseconds on a CPU of each thread, from the scheduler: the ticks of /proc/PID/stat are 10 ms. */
function threadsUs(osPid: number): number {
  const threads = readdirSync(`/proc/${osPid}/task`);
  const ns = threads.map((id) =>
    Number(readFileSync(`/proc/${osPid}/task/${id}/schedstat`, "utf8").split(" ")[0]),
  );
  return ns.reduce((sum, one) => sum + one, 0) / 1_000;
}

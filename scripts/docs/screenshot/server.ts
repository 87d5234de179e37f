/** The built program with a chat protocol, on its default ports. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const MAIN = join(import.meta.dirname, "../main.js");

/** The chat protocol: a client sends its name, then messages. Invalid JSON crashes the connection. */
const CHAT = `
import { defineProtocol, next, packet } from "drover";
export default defineProtocol({
  name: "chat",
  framing: packet(2),
  data: () => ({ name: "", said: 0 }),
  states: {
    greeting: {
      frame: (conn, frame) => {
        conn.data.name = JSON.parse(String(frame)).name;
        conn.send(JSON.stringify({ welcome: conn.data.name }));
        return next("talking");
      },
    },
    talking: {
      frame: (conn, frame) => {
        conn.data.said++;
        conn.send(JSON.stringify({ from: conn.data.name, ...JSON.parse(String(frame)) }));
      },
    },
  },
});
`;

export class ScreenshotServer {
  readonly port = 2222;
  readonly started: Promise<void>;
  readonly #control: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(dir: string) {
    this.#control = join(dir, "drover.sock");
    writeFileSync(join(dir, "chat.ts"), CHAT);
    const flags = ["--host=127.0.0.1", "--workers=2", "--log-format=json", `--control=${this.#control}`];
    const stdio = ["ignore", "pipe", "inherit"] as const;
    this.#child = spawn(process.execPath, [MAIN, "start", "./chat.ts", ...flags], {
      cwd: dir,
      stdio: [...stdio],
    });
    this.#exited = once(this.#child, "exit");
    this.started = new Promise((resolve, reject) => {
      this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes(" serves chat ")) resolve();
      });
      void this.#exited.then(() => reject(new Error("the server exited: its output is above")));
    });
  }

  /** URL of the observer page, with the token. */
  async page(): Promise<string> {
    return (await this.#run("page")).trim();
  }

  /** Kills the second worker with SIGKILL. */
  async killWorker(): Promise<void> {
    const { workers } = JSON.parse(await this.#run("info", "--json"));
    process.kill(workers[1].osPid, "SIGKILL");
  }

  /** Whether each worker has at least two clients. */
  async isShared(): Promise<boolean> {
    const { stats } = JSON.parse(await this.#run("top", "--json"));
    return stats.workers.every(({ active }: { active: number }) => active >= 2);
  }

  async #run(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [
      MAIN,
      ...args,
      `--control=${this.#control}`,
    ]);
    return stdout;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill();
    await this.#exited;
  }
}

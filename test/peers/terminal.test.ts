/** Commands on a real terminal (tmux): drawing, keys, resizing, and restoring the terminal. */
import { execFileSync, spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { http, series } from "../support/admin-http.js";
import { FrameClient } from "../support/frames.js";
import { find, testWith } from "../support/peers.js";
import { endAll, MAIN, type Served, serveProgram } from "../support/program.js";
import { eventually } from "../support/until.js";

const tmux = testWith("tmux", "apt-get install tmux");
const panes: Pane[] = [];
const clients: FrameClient[] = [];

let server: Served;

beforeAll(async () => {
  server = await serveProgram();
});
afterAll(endAll);
// The next test counts its own clients.
afterEach(async () => {
  for (const pane of panes.splice(0)) pane.close();
  for (const client of clients.splice(0)) client.socket.destroy();
  await eventually(async () => {
    const { body } = await http(server.adminPort, "/metrics/now");
    return series(body, "drover_connections_active") === 0;
  });
});

/** A shell in tmux, with a tmux server of its own. */
class Pane {
  readonly #env: Record<string, string>;

  constructor({ program, control }: Served, columns: number, rows: number) {
    this.#env = {
      PATH: process.env.PATH ?? "",
      HOME: program.dir,
      TMUX_TMPDIR: program.dir,
      LANG: "C.UTF-8",
    };
    // sh does not change the terminal settings, so `stty` shows what the command left.
    const shell = [`DROVER_CONTROL=${control}`, "PS1=$ ", "ENV=", `D=${process.execPath} ${MAIN}`, "sh"];
    const size = ["-x", String(columns), "-y", String(rows)];
    this.#run("-u", "-f", "/dev/null", "new-session", "-d", ...size, "env", ...shell);
    panes.push(this);
  }

  #run(...args: string[]): string {
    return execFileSync(find("tmux") as string, args, { env: this.#env, encoding: "utf8" });
  }

  press(...keys: string[]): void {
    this.#run("send-keys", ...keys);
  }

  /** Types a line. */
  type(line: string): void {
    this.#run("send-keys", "-l", line);
    this.press("Enter");
  }

  resize(columns: number, rows: number): void {
    this.#run("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** The lines on the screen. */
  get lines(): string[] {
    return this.#run("capture-pane", "-p").split("\n").slice(0, -1);
  }

  /** Waits until a line fits. */
  line(fits: RegExp): Promise<string> {
    return eventually(() => this.lines.find((line) => fits.test(line)));
  }

  /** Settings of the terminal. */
  get mode() {
    const format = "#{alternate_on} #{cursor_flag} #{pane_tty}";
    const [alternate, cursor, tty = ""] = this.#run("display-message", "-p", format).trim().split(" ");
    const settings = spawnSync("stty", ["-F", tty, "-a"], { encoding: "utf8" }).stdout.split(/[\s;]+/);
    return {
      alternate: alternate === "1",
      cursor: cursor === "1",
      echo: settings.includes("echo"),
      lines: settings.includes("icanon"),
    };
  }

  /** Waits until the command has ended, and the terminal is as it was before. */
  async restored(exitCode: number): Promise<void> {
    await eventually(() => !this.mode.alternate && this.mode.lines);
    // Only at the prompt has the command exited: until then it could still read what is typed.
    await eventually(() => this.lines.findLast((line) => line !== "") === "$");
    expect(this.mode).toEqual({ alternate: false, cursor: true, echo: true, lines: true });
    this.type("echo code $?");
    await this.line(new RegExp(`^code ${exitCode}$`));
  }

  close(): void {
    this.#run("kill-server");
  }
}

const DRAWN = { alternate: true, cursor: false, echo: false, lines: false };

/** The server with `count` clients. */
async function served(count: number) {
  for (let n = 0; n < count; n++) clients.push(await FrameClient.connect(server.port));
  await Promise.all(clients.map((client, n) => client.ask(`client ${n}`)));
  return server;
}

tmux("top sorts by keys, follows the size of the window, and gives the terminal back on q", async () => {
  const pane = new Pane(await served(60), 100, 30);
  pane.type("$D top");
  await pane.line(/^60 connections by frames ▼/);
  // tmux may have read the rest of the picture only a moment later.
  await pane.line(/^q quit {2}r reverse {2}sort by f frames .* p pid$/);
  expect(pane.mode).toEqual(DRAWN);
  expect(pane.lines[0]).toMatch(/^drover {2}running {2}\d\d:\d\d:\d\d$/);
  expect(pane.lines[29]).toMatch(/^q quit /);
  pane.press("b");
  await pane.line(/^60 connections by bytes ▼/);
  pane.press("r");
  await pane.line(/^60 connections by bytes ▲/);
  pane.resize(60, 20);
  // No line is wrapped or cut.
  await eventually(() => {
    const { length, 0: first, 19: last } = pane.lines;
    return length === 20 && first?.startsWith("drover  running") && last?.startsWith("q quit");
  });
  expect(pane.lines.join("\n")).not.toContain("…");
  expect(pane.lines.filter((line) => /^<\d+\.\d+> +ready /.test(line)).length).toBeGreaterThan(5);
  pane.press("q");
  await pane.restored(0);
  expect(pane.lines.join("\n")).not.toContain("connections by");
});

tmux("tree -w shows every worker with its listener, and gives the terminal back on Ctrl-C", async () => {
  const pane = new Pane(await served(60), 100, 30);
  pane.type("$D tree -w");
  await pane.line(/^<0\.1> drover/);
  expect(pane.mode).toEqual(DRAWN);
  for (const worker of [1, 2]) {
    await pane.line(new RegExp(`<${worker}\\.1> worker ${worker} `));
    await pane.line(new RegExp(`<${worker}\\.4> listener .*127.0.0.1:${server.port}`));
  }
  pane.press("C-c");
  await pane.restored(0);
});

tmux(
  "trace says what it follows, goes on line by line, and ends on Ctrl-C with a prompt of its own",
  async () => {
    const pane = new Pane(await served(1), 60, 20);
    pane.type("$D connections");
    const row = await pane.line(/^<\d+\.\d+> /);
    const [, pid = ""] = /^<(\S+)> /.exec(row) as RegExpExecArray;
    pane.type(`clear; $D trace ${pid}`);
    await pane.line(new RegExp(`^tracing <${pid}> until it ends or Ctrl-C$`));
    clients[0]?.send("hello over there, this is a line that is too long for a narrow terminal");
    await pane.line(/^\d\d:\d\d:\d\d\.\d{3} {2}in +ready +\d+ B {2}hello .*…$/);
    await pane.line(/^\d\d:\d\d:\d\d\.\d{3} {2}out +ready +\d+ B {2}hello .*…$/);
    pane.press("C-c");
    await pane.line(/^\$$/);
    await pane.restored(0);
  },
);

tmux("a narrow terminal breaks no row of connections, and no word of check", async () => {
  const pane = new Pane(await served(8), 60, 20);
  pane.type("clear; $D connections");
  await pane.line(/^8 of 8 connections$/);
  const { lines } = pane;
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at("8 of 8 ") - at("pid ")).toBe(9);
  pane.type("clear; $D check");
  await pane.line(/^ok +backlog /);
  // A wrapped sentence is indented to its start.
  await pane.line(/^ {20,}\S/);
  const said = () => pane.lines.map((line) => line.trim()).join(" ");
  await expect.poll(said).toContain("stop it with `drover stop`, or start this one with another --name");
});

// The last one: the server accepts no more clients after it.
tmux("drain draws one bar that fills while clients go, and then one sentence", async () => {
  const pane = new Pane(await served(40), 100, 30);
  pane.type("clear; $D drain --deadline 10m");
  await pane.line(/^\[-+\] draining: 40 of 40 connections left, deadline in 9m \d+s$/);
  for (const client of clients.slice(0, 20)) client.end();
  await pane.line(/^\[(#+)-+\] draining: 20 of 40 connections left/);
  for (const client of clients.slice(20)) client.end();
  await pane.line(/^drained: all 40 connections finished$/);
  expect(pane.lines.join("\n")).not.toContain("draining");
  await pane.restored(0);
});

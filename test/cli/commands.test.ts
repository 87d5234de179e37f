/** The commands, against a living server. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { renderTree } from "../../src/cli/commands/read/tree-view.js";
import { COMMANDS } from "../../src/cli/commands.js";
import { commandsText } from "../../src/cli/help.js";
import type { Explanation } from "../../src/config/config.js";
import { FakeControl, node } from "../admin/fake-control.js";
import { running } from "../admin/support.js";
import { drover } from "./support.js";

describe("tree", () => {
  it("prints the tree", async () => {
    const { socketPath, control } = await running();
    const outcome = await drover(socketPath, ["tree"]);
    expect(outcome).toEqual({ code: 0, stdout: renderTree(control.root), stderr: "" });
  });

  it("--json prints what the server said, and nothing else", async () => {
    const { socketPath, control } = await running();
    const { stdout, stderr } = await drover(socketPath, ["tree"], { json: true });
    expect([JSON.parse(stdout), stderr]).toEqual([control.root, ""]);
  });

  it("--json escapes what a terminal would obey, and is still the same JSON", async () => {
    const control = new FakeControl();
    control.root = node("<0.1>", "\u009b2J\u202e\x7f\u{e0001}", "");
    const { socketPath } = await running({ control });
    const { stdout } = await drover(socketPath, ["tree"], { json: true });
    expect(stdout).toContain('"\\u009b2J\\u202e\\u007f\\udb40\\udc01"');
    expect(JSON.parse(stdout)).toEqual(control.root);
  });

  it("cuts its lines on a terminal only", async () => {
    const { socketPath } = await running();
    const piped = await drover(socketPath, ["tree"], { isTTY: false, columns: 40 });
    const shown = await drover(socketPath, ["tree"], { isTTY: true, columns: 40 });
    expect(piped.stdout).toContain("temporary, shutdown 2s");
    expect(shown.stdout).not.toContain("temporary, shutdown 2s");
  });
});

describe("info", () => {
  it("shows the certificates that end first", async () => {
    const { socketPath, control } = await running();
    const names = Array.from({ length: 12 }, (_, at) => `${at}.example`);
    control.certificates = names.map((name, at) => ({
      listener: "main",
      name,
      secondsLeft: at * 86_400 - 1,
    }));
    const { stdout } = await drover(socketPath, ["info"]);
    expect(stdout.match(/^certificate .*$/gm)).toHaveLength(10);
    expect(stdout).toMatch(/^certificate +0\.example, listener main, expired$/m);
    expect(stdout).toMatch(/^certificate +9\.example, listener main, ends in 8 days$/m);
    expect(stdout).toMatch(/^ +2 more, which end later$/m);
  });

  it("prints what the server says of itself", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["info"])).stdout).toBe(
      [
        "name           drover",
        "version        0.1.0",
        "Node.js        v20.19.0",
        "os pid         4100",
        "up             3h 2m",
        "protocol       chat",
        "address        [::]:2222",
        "admin          127.0.0.1:9464",
        "transport      stream",
        "connections    2 active, 12 accepted, 10 closed",
        "restarts left  4",
        "worker 1       os 4121, running, never restarted",
        "worker 2       os 4377, running, 1× restarted",
        "",
      ].join("\n"),
    );
  });

  it.each(["<1.17>", "1.17"])("%s prints what the process says of itself", async (pid) => {
    const { socketPath } = await running();
    const lines = ["pid    <1.17>", "name   chat", "state  talking", "links  <1.3>", "queue  0", ""];
    expect((await drover(socketPath, ["info", pid])).stdout).toBe(lines.join("\n"));
  });

  it("--json prints either as JSON", async () => {
    const { socketPath } = await running();
    const program = await drover(socketPath, ["info"], { json: true });
    const process = await drover(socketPath, ["info", "1.17"], { json: true });
    expect(JSON.parse(program.stdout)).toMatchObject({ osPid: 4100 });
    expect(JSON.parse(process.stdout)).toMatchObject({ pid: "<1.17>" });
  });
});

describe("kill", () => {
  it("sends the exit signal kill, or another", async () => {
    const { socketPath, control } = await running();
    const first = await drover(socketPath, ["kill", "<1.17>"]);
    const second = await drover(socketPath, ["kill", "1.19", "maintenance"]);
    expect(first).toEqual({ code: 0, stdout: "sent exit signal kill to <1.17>\n", stderr: "" });
    expect(second.stdout).toBe("sent exit signal maintenance to <1.19>\n");
    expect(control.changes).toEqual(["kill <1.17> kill", "kill <1.19> maintenance"]);
  });
});

describe("stop", () => {
  it("returns when the server is gone", async () => {
    const { socketPath, control, close } = await running();
    let gone = false;
    control.onStop = () => {
      void close().then(() => {
        gone = true;
      });
    };
    expect(await drover(socketPath, ["stop"])).toEqual({ code: 0, stdout: "stopped\n", stderr: "" });
    expect([gone, control.changes]).toEqual([true, ["stop over the control socket"]]);
  });

  it("waits 30 s longer than the server's own --shutdown", async () => {
    const { socketPath, control } = await running();
    const [row] = control.config() as [Explanation];
    control.config = () => [{ ...row, key: "shutdown", value: 600_000, text: "10m" }];
    const asked: number[] = [];
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      asked.push(ms);
      return ms > 60_000 ? AbortSignal.abort() : new AbortController().signal;
    });
    onTestFinished(() => timeout.mockRestore());
    expect(await drover(socketPath, ["stop"])).toMatchObject({
      code: 69,
      stderr: 'drover "drover" is still stopping after 630 s: see its log\n',
    });
    expect(asked.at(-1)).toBe(630_000);
  });
});

describe("config", () => {
  it("prints every option with its value and where that came from", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["config"])).stdout).toBe(
      ["option       value  from", "port         2222   default", "idleTimeout  2m     flag", ""].join("\n"),
    );
  });

  it.each([
    ["with --verbose", { verbose: true }],
    ["on a wide terminal", { isTTY: true, columns: 200 }],
  ])("%s prints the flag and the environment name as well", async (_, options) => {
    const { socketPath } = await running();
    const [first, second] = (await drover(socketPath, ["config"], options)).stdout.split("\n");
    expect(first).toBe("option       value  from     flag            environment");
    expect(second).toBe("port         2222   default  --port          DROVER_PORT");
  });

  it("--json prints the rows", async () => {
    const { socketPath, control } = await running();
    const { stdout } = await drover(socketPath, ["config"], { json: true });
    expect(JSON.parse(stdout)).toEqual(control.config());
  });
});

it("the help text lists every command, start included", () => {
  const text = commandsText();
  expect(COMMANDS.map(({ name }) => name)).toEqual([
    ...[
      "start",
      "dev",
      "tree",
      "top",
      "connections",
      "info",
      "state",
      "trace",
      "events",
      "kill",
      ...["groups", "group", "names", "whereis", "nodes", "ask", "publish"],
      "suspend",
      "resume",
      "drain",
    ],
    ...[
      "scale",
      "restart",
      "limit",
      "ban",
      "unban",
      "bans",
      "reload-tls",
      "log",
      "stop",
      "health",
      "config",
      "page",
      "check",
      "new",
      "completion",
      "help",
    ],
  ]);
  for (const { usage, sentence } of COMMANDS) {
    expect(text).toContain(`  ${usage} `);
    expect(text).toContain(sentence);
  }
});

describe("health", () => {
  it("exits with 0 or 1, and says why", async () => {
    const { socketPath, control } = await running();
    expect(await drover(socketPath, ["health"])).toEqual({
      code: 0,
      stdout: "well, 2 workers\n",
      stderr: "",
    });
    control.health_ = { ok: false, status: "no worker is running", workers: 0 };
    control.ready_ = { ok: false, status: "draining", workers: 1 };
    expect(await drover(socketPath, ["health"])).toMatchObject({
      code: 1,
      stdout: "no worker is running, 0 workers\n",
    });
    const ready = await drover(socketPath, ["health"], { switches: new Set(["ready"]), json: true });
    expect([ready.code, JSON.parse(ready.stdout)]).toEqual([1, control.ready_]);
  });
});

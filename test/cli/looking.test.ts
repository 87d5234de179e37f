/** The commands that look: connections, state, trace, page, and what they do with hostile text. */
import { describe, expect, it } from "vitest";
import { bytes, short } from "../../src/cli/terminal/table.js";
import type { TraceLine } from "../../src/control/trace.js";
import { row } from "../admin/fake-control.js";
import { running, TOKEN } from "../admin/support.js";
import { until } from "../support/until.js";
import { drover, Memory } from "./support.js";
import { plain } from "./terminal.js";

const values = (of: Record<string, string>) => ({ values: new Map(Object.entries(of)) });

describe("connections", () => {
  it("prints a row for each", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["connections"])).stdout).toBe(
      [
        "pid     state     peer            age  idle  frames in  out  bytes in       out  unsent  mailbox",
        "<1.17>  talking   10.0.0.7:51234   1m   12s         30   31  2.93 KiB  3.03 KiB     0 B        0",
        "<1.19>  greeting  10.0.0.9:40012   1m   12s         30   31  2.93 KiB  3.03 KiB     0 B        0",
        "2 of 2 connections",
        "",
      ].join("\n"),
    );
  });

  it("hands its flags to the server, which judges them", async () => {
    const { socketPath, control } = await running();
    const flags = { worker: "1", state: "a b&c=d", peer: "10.", sort: "idleMs", order: "desc", limit: "1" };
    const { stdout } = await drover(socketPath, ["connections"], values(flags));
    expect(control.asked).toEqual({ ...flags, worker: 1, limit: 1 });
    expect(stdout).toContain("1 of 2 connections: --limit 2 shows more\n");
    const wrong = await drover(socketPath, ["connections"], values({ sort: "bytes" }));
    expect(wrong).toMatchObject({ code: 64, stdout: "" });
    expect(wrong.stderr).toBe('sort cannot be "bytes": did you mean bytesReceived?\n');
  });

  it("leaves out on a narrow terminal what matters least, instead of breaking lines", async () => {
    const { socketPath } = await running();
    const { stdout } = await drover(socketPath, ["connections"], { isTTY: true, columns: 60 });
    expect(stdout).toBe(
      [
        "pid     state     peer            age  idle  frames in  out",
        "<1.17>  talking   10.0.0.7:51234   1m   12s         30   31",
        "<1.19>  greeting  10.0.0.9:40012   1m   12s         30   31",
        "2 of 2 connections",
        "",
      ].join("\n"),
    );
  });

  it("--by address prints a row for each address, and asks for the busiest first", async () => {
    const { socketPath, control } = await running();
    expect((await drover(socketPath, ["connections"], values({ by: "address" }))).stdout).toBe(
      [
        "address            connections  oldest  idle  frames in  out  bytes in       out  unsent",
        "10.0.0.7                     1      1m   12s         30   31  2.93 KiB  3.03 KiB     0 B",
        "2001:db8:0:1::/64            1      1m   12s         30   31  2.93 KiB  3.03 KiB     0 B",
        "2 of 2 addresses, 2 connections",
        "",
      ].join("\n"),
    );
    expect(control.asked).toEqual({ sort: "connections", order: "desc", limit: 100 });
    const { stdout } = await drover(socketPath, ["connections"], {
      json: true,
      ...values({ by: "address", limit: "1", peer: "10." }),
    });
    expect(JSON.parse(stdout).rows).toHaveLength(1);
    expect(control.asked).toMatchObject({ limit: 1, peer: "10." });
    const wrong = await drover(socketPath, ["connections"], values({ by: "adress" }));
    expect(wrong).toMatchObject({ code: 64, stderr: 'by cannot be "adress": did you mean address?\n' });
  });

  it("says which worker's are missing", async () => {
    const { socketPath, control } = await running();
    control.connections = async () => ({ total: 0, matched: 0, rows: [], missing: [2] });
    const { stdout } = await drover(socketPath, ["connections"]);
    expect(stdout).toBe("0 of 0 connections\nworker 2 does not answer: its connections are not listed\n");
  });

  it("--json prints what the server said", async () => {
    const { socketPath, control } = await running();
    const { stdout } = await drover(socketPath, ["connections"], { json: true });
    expect(JSON.parse(stdout)).toEqual({ total: 2, matched: 2, rows: control.rows, missing: [] });
  });

  it("shows a hostile state as text", async () => {
    const { socketPath, control } = await running();
    control.rows = [row(1, "\x1b[2J\u202e", "10.0.0.1:1")];
    expect((await drover(socketPath, ["connections"])).stdout).toContain("\\x1b[2J\\u202e");
  });

  it("has no flags of other commands", async () => {
    const { socketPath } = await running();
    const { code, stderr } = await drover(socketPath, ["connections"], { switches: new Set(["watch"]) });
    expect([code, stderr]).toEqual([64, "drover connections has no --watch\n"]);
  });
});

describe("state", () => {
  it("prints what the process says of itself, and what it holds", async () => {
    const { socketPath, control } = await running();
    const view = await control.state("<1.17>");
    control.state = async () => ({ ...view!, data: "{\n  nick: '\x1b[2J'\n}" });
    expect((await drover(socketPath, ["state", "1.17"])).stdout).toBe(
      [
        "pid       <1.17>",
        "name      chat",
        "state     talking",
        "buffered  0",
        "links     <1.3>",
        "data",
        "  {",
        "    nick: '\\x1b[2J'",
        "  }",
        "",
      ].join("\n"),
    );
    const { stdout } = await drover(socketPath, ["state", "1.17"], { json: true });
    expect(JSON.parse(stdout)).toMatchObject({ pid: "<1.17>", state: "talking" });
  });

  it("refuses what is no pid before it asks the server", async () => {
    const { code, stderr } = await drover("/nowhere", ["state", "primary"]);
    expect([code, stderr]).toEqual([64, "not a pid: \"primary\": a pid looks like '<1.17>'\n"]);
  });
});

describe("trace", () => {
  const line = (what: TraceLine["what"], more: Partial<TraceLine> = {}): TraceLine => {
    return { at: Date.UTC(2026, 10, 22, 12), pid: "<1.17>", what, ...more };
  };
  const FRAME = line("frame_in", { state: "talking", length: 3, hex: "68690a", text: "hi\\n" });

  it("prints a line for everything until the process ends", async () => {
    const { socketPath, control } = await running();
    const done = drover(socketPath, ["trace", "1.17"]);
    await until(() => control.tracers.size === 1);
    control.traced(FRAME);
    control.traced(line("state", { state: "bye", text: "from talking" }));
    control.traced(line("dropped", { length: 40 }));
    control.traced(line("end", { text: "normal" }));
    const { code, stdout, stderr } = await done;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.replace(/^\d\d:\d\d:\d\d\.\d{3}/gm, "T")).toBe(
      [
        "T  in       talking     3 B  hi\\n  68 69 0a",
        "T  state    bye         from talking",
        "T  dropped              40 more lines in this second, over the rate limit",
        "T  end                  normal",
        "",
      ].join("\n"),
    );
  });

  it("--json prints one object a line", async () => {
    const { socketPath, control } = await running();
    const done = drover(socketPath, ["trace", "1.17"], { json: true });
    await until(() => control.tracers.size === 1);
    control.traced(FRAME);
    control.traced(line("end", { text: "\u009b" }));
    const { stdout } = await done;
    expect(stdout).not.toContain("\u009b");
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((one) => JSON.parse(one)),
    ).toEqual([FRAME, line("end", { text: "\u009b" })]);
  });

  it("ends well on Ctrl-C, and the server's side with it", async () => {
    const { socketPath, control } = await running();
    const { signal, abort } = interruptable();
    const done = drover(socketPath, ["trace", "1.17"], { interrupt: signal });
    await until(() => control.tracers.size === 1);
    abort();
    expect(await done).toEqual({ code: 0, stdout: "", stderr: "" });
    await until(() => control.tracers.size === 0);
  });

  it("on a terminal says what it waits for, and leaves the prompt a line of its own", async () => {
    const { socketPath } = await running();
    const { signal, abort } = interruptable();
    const stdout = new Memory();
    const terminal = { stdout, interrupt: signal, isTTY: true, columns: 80 };
    const done = drover(socketPath, ["trace", "1.17"], terminal);
    await until(() => stdout.text);
    abort();
    expect((await done).code).toBe(0);
    expect(stdout.text).toBe("tracing <1.17> until it ends or Ctrl-C\n\n");
  });

  it("says when the server ended it", async () => {
    const { socketPath, control, close } = await running();
    const done = drover(socketPath, ["trace", "1.17"]);
    await until(() => control.tracers.size === 1);
    await close();
    expect(await done).toEqual({ code: 69, stdout: "", stderr: 'drover "drover" ended the trace\n' });
  });

  it("is refused where there is no such process", async () => {
    const { socketPath } = await running();
    expect(await drover(socketPath, ["trace", "9.9"])).toEqual({
      ...{ code: 69, stdout: "" },
      stderr: "no process <9.9>\n",
    });
  });

  it("has colours only when they are wanted, which change nothing else, and cuts its lines on a terminal", async () => {
    const { socketPath, control } = await running();
    const long = line("frame_out", {
      state: "talking",
      length: 500,
      hex: "ab".repeat(256),
      text: "x".repeat(256),
    });
    const output = async (options: object): Promise<string> => {
      const stdout = Object.assign(new Memory(), options);
      const done = drover(socketPath, ["trace", "1.17"], { stdout, ...options });
      await until(() => control.tracers.size === 1);
      control.traced(long);
      control.traced(line("end", { text: "normal" }));
      await done;
      await until(() => control.tracers.size === 0);
      return stdout.text;
    };
    const bare = await output({});
    const colored = await output({ color: true });
    const narrow = await output({ isTTY: true, columns: 60 });
    expect(bare).not.toContain("\x1b");
    expect(bare).toContain("x".repeat(256));
    expect(colored).toContain("\x1b[36mout");
    expect(plain(colored)).toBe(bare);
    for (const one of narrow.trimEnd().split("\n")) expect(one.length).toBeLessThanOrEqual(60);
  });
});

function interruptable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe("page", () => {
  it.each([
    ["127.0.0.1:9464", "http://127.0.0.1:9464/"],
    ["0.0.0.0:9464", "http://127.0.0.1:9464/"],
    ["[::]:9464", "http://[::1]:9464/"],
    ["10.0.0.1:80", "http://10.0.0.1:80/"],
  ])("of a server on %s prints an address with the token behind the #", async (admin, url) => {
    const { socketPath, control } = await running({ token: TOKEN });
    const info = await control.info();
    control.info = async () => ({ ...info, admin });
    expect((await drover(socketPath, ["page"])).stdout).toBe(`${url}#token=${TOKEN}\n`);
    const { stdout } = await drover(socketPath, ["page"], { json: true });
    expect(JSON.parse(stdout)).toEqual({ url: `${url}#token=${TOKEN}` });
  });
});

it.each([
  [0, "0 B", "0"],
  [999, "999 B", "999"],
  [1000, "0.98 KiB", "1000"],
  [3_481, "3.40 KiB", "3481"],
  [12_345, "12.1 KiB", "12.3k"],
  [125_829_120, "120 MiB", "125.83M"],
])("%d is shown as %s, or %s", (count, asBytes, asCount) => {
  expect([bytes(count), short(count)]).toEqual([asBytes, asCount]);
});

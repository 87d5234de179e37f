/** The commands that go on: what they draw, what keys do, and the state in which they leave the terminal. */
import { describe, expect, it } from "vitest";
import { node } from "../admin/fake-control.js";
import { running } from "../admin/support.js";
import { until } from "../support/until.js";
import { drover } from "./support.js";
import { Terminal } from "./terminal.js";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/** A live command on a terminal. */
async function live(name: string, options: object = {}) {
  const admin = await running();
  const terminal = new Terminal();
  const done = drover(admin.socketPath, [name], { stdout: terminal, stdin: terminal.keyboard, ...options });
  return { ...admin, terminal, done };
}

/** As it was before: nothing raw, nothing hidden, the old screen, and nobody who listens. */
function expectRestored(terminal: Terminal): void {
  expect(terminal.text.startsWith(ENTER)).toBe(true);
  expect(terminal.text.endsWith(LEAVE)).toBe(true);
  expect([terminal.keyboard.isRaw, terminal.keyboard.listenerCount("data")]).toEqual([false, 0]);
  expect(terminal.listenerCount("resize")).toBe(0);
}

describe("top", () => {
  it("draws the workers and the busiest connections, each picture in one write", async () => {
    const { terminal, done, control } = await live("top");
    await until(() => terminal.picture.length > 1);
    expect(terminal.picture[0]).toMatch(/^drover {2}running {2}\d\d:\d\d:\d\d$/);
    expect(terminal.picture[1]).toMatch(/^2 connections, - accepted\/s, - closed\/s/);
    expect(terminal.picture.join("\n")).toMatch(/^1 +4121 +running +0 +2 /m);
    expect(terminal.picture.join("\n")).toMatch(/^<1\.17> +talking +10\.0\.0\.7:51234 /m);
    expect(terminal.picture).toHaveLength(24);
    expect(control.asked).toEqual({ sort: "framesReceived", order: "desc", limit: 24 });
    terminal.keyboard.write("q");
    expect((await done).code).toBe(0);
    // Enter, pictures, leave: nothing in between that a terminal could show half.
    const [entered, ...drawn] = terminal.writes.filter((text) => text !== "");
    expect([entered, drawn.pop()]).toEqual([ENTER, LEAVE]);
    for (const text of drawn)
      expect([text.startsWith("\x1b[H"), text.endsWith("\x1b[K\x1b[J")]).toEqual([true, true]);
    expectRestored(terminal);
  });

  it.each(["q", "Q", "\x03", "\x04"])("ends well on the key %j", async (key) => {
    const { terminal, done } = await live("top");
    await until(() => terminal.keyboard.isRaw);
    terminal.keyboard.write(key);
    expect(await done).toMatchObject({ code: 0, stderr: "" });
    expectRestored(terminal);
  });

  it("ends well on a signal", async () => {
    const interrupt = new AbortController();
    const { terminal, done } = await live("top", { interrupt: interrupt.signal });
    await until(() => terminal.picture.length > 1);
    interrupt.abort();
    expect(await done).toMatchObject({ code: 0, stderr: "" });
    expectRestored(terminal);
  });

  it("sorts by what a key says, at once, and the other way round with r", async () => {
    const { terminal, done, control } = await live("top");
    await until(() => terminal.picture.length > 1);
    const pressed = async (key: string, sort: string, order: string) => {
      terminal.keyboard.write(key);
      await until(() => control.asked?.sort === sort && control.asked.order === order);
    };
    await pressed("b", "bytesReceived", "desc");
    await pressed("r", "bytesReceived", "asc");
    await pressed("i", "idleMs", "asc");
    terminal.keyboard.write("x");
    terminal.keyboard.write("q");
    await done;
  });

  it("fits every picture into the window, also after that has changed its size", async () => {
    const { terminal, done } = await live("top");
    await until(() => terminal.picture.length > 1);
    for (const [columns, rows] of [
      [60, 12],
      [20, 5],
      [1, 1],
      [300, 100],
    ] as const) {
      terminal.resize(columns, rows);
      await until(() => terminal.picture.length === rows);
      for (const line of terminal.picture) expect(line.length).toBeLessThanOrEqual(columns);
    }
    terminal.keyboard.write("q");
    await done;
    expectRestored(terminal);
  });

  it("leaves out whole columns and keys where there is no room, and keeps how to quit", async () => {
    const { terminal, done } = await live("top");
    await until(() => terminal.picture.length > 1);
    terminal.resize(60, 24);
    await until(() => terminal.picture.at(-1) === "q quit  r reverse  sort by f frames  b bytes  u unsent");
    expect(terminal.picture.join("\n")).toMatch(/^worker .*conns .*lag$/m);
    expect(terminal.picture.join("\n")).not.toContain("…");
    terminal.keyboard.write("q");
    await done;
  });

  it("puts the terminal right when the server goes away, and says so", async () => {
    const { terminal, done, close } = await live("top");
    await until(() => terminal.picture.length > 1);
    await close();
    const { code, stderr } = await done;
    expect(code).toBe(69);
    expect(stderr).toMatch(/no drover named "drover" is running here|closed the connection/);
    expectRestored(terminal);
  });

  it("shows nothing that a terminal would obey", async () => {
    const { terminal, done, control } = await live("top");
    control.rows = control.rows.map((row) => ({ ...row, state: "\x1b[2J\x07\u202e" }));
    await until(() => terminal.text.includes("\\x1b[2J\\x07\\u202e"));
    terminal.keyboard.write("q");
    await done;
    const shown = terminal.text.slice(ENTER.length);
    for (const obeyed of ["\x1b[2J", "\x07", "\u202e"]) expect(shown).not.toContain(obeyed);
  });

  it("is one snapshot where there is no terminal, and JSON if that is wanted", async () => {
    const { socketPath, control } = await running();
    const { code, stdout } = await drover(socketPath, ["top"]);
    expect([code, stdout.includes("\x1b")]).toEqual([0, false]);
    expect(stdout).toMatch(/^drover {2}running/);
    expect(stdout).toContain("<1.19>");
    const json = JSON.parse((await drover(socketPath, ["top"], { json: true })).stdout);
    expect(json.stats).toEqual(control.stats());
    expect(json.connections.rows).toEqual(control.rows);
  });
});

describe("tree --watch", () => {
  const watch = { switches: new Set(["watch"]) };

  it("draws the tree again and again, until q", async () => {
    const { terminal, done, control } = await live("tree", watch);
    await until(() => terminal.picture.some((line) => line.includes("<1.17> chat talking")));
    control.root = node("<0.1>", "changed", "");
    await until(() => terminal.picture.some((line) => line.includes("<0.1> changed")));
    terminal.keyboard.write("q");
    expect((await done).code).toBe(0);
    expectRestored(terminal);
  });

  it("says how much does not fit", async () => {
    const { terminal, done } = await live("tree", watch);
    await until(() => terminal.picture.length > 1);
    terminal.resize(80, 4);
    await until(() => terminal.picture.length === 4);
    expect(terminal.picture[3]).toMatch(/^… \d+ more lines; q quits$/);
    terminal.keyboard.write("q");
    await done;
  });

  it("is refused where there is no terminal", async () => {
    const { socketPath } = await running();
    const { code, stdout, stderr } = await drover(socketPath, ["tree"], watch);
    expect([code, stdout]).toEqual([64, ""]);
    expect(stderr).toBe(
      "drover tree --watch needs a terminal: standard output is not one, so leave out --watch\n",
    );
  });
});

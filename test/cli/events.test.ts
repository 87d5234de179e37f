/** `drover events`. */
import { expect, it } from "vitest";
import { renderRecord } from "../../src/cli/commands/follow/events.js";
import { running } from "../admin/support.js";
import { until } from "../support/until.js";
import { drover, Memory } from "./support.js";

const RECORD = {
  ...{ level: "warn", time: "2026-11-22T16:08:22.879Z", worker: 1, osPid: 7, name: "drover" },
  ...{ msg: "no answer", imei: "863", note: "two words" },
};

it("shows what is kept, in lines or as JSON, and passes its filter on", async () => {
  const { socketPath, control } = await running();
  control.past = [RECORD];
  const values = new Map([
    ["level", "debug"],
    ["text", "863"],
  ]);
  const { stdout } = await drover(socketPath, ["events"], { values });
  expect(stdout).toMatch(/^\d\d:08:22\.879 WARN {2}worker 1 {2}no answer {2}imei=863 {2}note="two words"\n$/);
  expect(control.filter).toEqual({ level: "debug", text: "863" });
  const { stdout: json } = await drover(socketPath, ["events"], { json: true });
  expect(JSON.parse(json)).toEqual(RECORD);
  expect(await drover(socketPath, ["events"], { values: new Map([["level", "loud"]]) })).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('level cannot be "loud"'),
  });
});

it("follows until Ctrl-C", async () => {
  const { socketPath, control } = await running();
  const [stdout, interrupt] = [new Memory(), new AbortController()];
  const options = { stdout, switches: new Set(["follow"]), interrupt: interrupt.signal };
  const done = drover(socketPath, ["events"], options);
  await until(() => control.followers.size === 1);
  control.logged(RECORD);
  await until(() => stdout.text.includes("no answer"));
  interrupt.abort();
  expect((await done).code).toBe(0);
});

it("escapes what a client has sent, cuts at the width of the terminal, and shows a stack below", () => {
  const plain = (_: string, text: string) => text;
  const err = { type: "Error", message: "x", stack: "Error: x\n    at p.ts:1:2\x1b[2J" };
  const lines = renderRecord({ ...RECORD, msg: "\x1b[2Jcleared\nforged", err }, plain, 60).split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toContain("\\x1b[2Jcleared\\nforged");
  expect(lines[0]).toHaveLength(60);
  expect(lines.slice(1)).toEqual(["    Error: x", "    at p.ts:1:2\\x1b[2J"]);
});

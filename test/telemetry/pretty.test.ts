import { describe, expect, it } from "vitest";
import { prettyLine } from "../../src/telemetry/log/pretty.js";
import { WHEN } from "./samples.js";

const line = { time: WHEN, level: "info", worker: 1, message: "listening on [::]:2222", fields: {} } as const;

describe("a line for people", () => {
  it("has time, level, OS process and message", () => {
    expect(prettyLine(line, false)).toBe("16:08:22.879 INFO  worker 1  listening on [::]:2222\n");
    expect(prettyLine({ ...line, worker: 0, level: "error" }, false)).toContain(" ERROR primary  ");
  });

  it("shows fields as key=value, quoted where they could be misread", () => {
    const fields = { listener: "main", port: 2222, why: 'it "said" so', empty: "", list: [1, 2] };
    expect(prettyLine({ ...line, fields }, false)).toMatch(
      / {2}listener=main {2}port=2222 {2}why="it \\"said\\" so" {2}empty="" {2}list=\[1,2\]\n$/,
    );
  });

  it("puts the stack of an error below, one frame a line", () => {
    const err = { type: "Error", message: "boom", stack: "Error: boom\n    at a (b.ts:1:2)" };
    expect(prettyLine({ ...line, fields: { err } }, false)).toMatch(
      /2222\n {4}Error: boom\n {4}at a \(b.ts:1:2\)\n$/,
    );
  });

  it("colours the level only when it is asked to", () => {
    expect(prettyLine(line, true)).toContain("\x1b[32mINFO \x1b[0m worker 1");
    expect(prettyLine(line, false)).not.toContain("\x1b");
  });

  it("escapes control characters in message and fields", () => {
    const text = prettyLine({ ...line, message: "a\nb\x1b[0m", fields: { "k\n": "v\r\x9b" } }, false);
    expect(text).toMatch(/a\\nb\\x1b\[0m {2}k\\n="v\\r\\x9b"\n$/);
  });
});

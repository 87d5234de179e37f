/** Lines of a trace, in words. */
import { expect, test } from "vitest";
import { aboutLine, isOwnQuestion } from "../../../src/admin/page/model/trace-line.js";
import type { TraceLine } from "../../../src/control/trace.js";

const line = (what: TraceLine["what"], rest: Partial<TraceLine> = {}): TraceLine => {
  return { at: 0, pid: "<1.17>", what, ...rest };
};

test("a line tells how much a frame is, how much was left out, and into which state it went", () => {
  expect(aboutLine(line("frame_in", { state: "talking", length: 1_024 }))).toBe("1,024 B");
  expect(aboutLine(line("dropped", { length: 12_345 }))).toBe("12,345 lines");
  expect(aboutLine(line("state", { state: "talking", text: "from greeting" }))).toBe("talking");
  expect(aboutLine(line("message", { state: "talking", text: "{ hello: 1 }" }))).toBe("");
});

test("what the page itself asks is told from what others ask", () => {
  expect(isOwnQuestion(line("call", { text: "whichChildren()" }))).toBe(true);
  expect(isOwnQuestion(line("call", { text: "countChildren()" }))).toBe(false);
  expect(isOwnQuestion(line("frame_in", { text: "whichChildren()" }))).toBe(false);
});

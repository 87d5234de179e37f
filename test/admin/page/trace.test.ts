/** Lines of a trace, in words. */
import { expect, test } from "vitest";
import { isOwnRequest, lineSummary } from "../../../src/admin/page/model/trace-line.js";
import type { TraceLine } from "../../../src/control/trace.js";

const line = (what: TraceLine["what"], rest: Partial<TraceLine> = {}): TraceLine => {
  return { at: 0, pid: "<1.17>", what, ...rest };
};

test("a line tells how much a frame is, how much was left out, and into which state it went", () => {
  expect(lineSummary(line("frame_in", { state: "talking", length: 1_024 }))).toBe("1,024 B");
  expect(lineSummary(line("dropped", { length: 12_345 }))).toBe("12,345 lines");
  expect(lineSummary(line("state", { state: "talking", text: "from greeting" }))).toBe("talking");
  expect(lineSummary(line("message", { state: "talking", text: "{ hello: 1 }" }))).toBe("");
});

test("what the page itself asks is told from what others ask", () => {
  expect(isOwnRequest(line("call", { text: "whichChildren()" }))).toBe(true);
  expect(isOwnRequest(line("call", { text: "countChildren()" }))).toBe(false);
  expect(isOwnRequest(line("frame_in", { text: "whichChildren()" }))).toBe(false);
});

/** The tree as text. */
import { expect, it } from "vitest";
import { renderTree } from "../../src/cli/commands/read/tree-view.js";
import { FakeControl, node } from "../admin/fake-control.js";

it("is drawn as in the design", () => {
  expect(renderTree(new FakeControl().root)).toBe(
    [
      "<0.1> drover                         one_for_one 5/60s",
      "├── <0.2> admin                      127.0.0.1:9464 + control socket",
      "├── <1.1> worker 1 (os 4121)         up 3h",
      "│   └─┬ <1.2> tcp_server             one_for_one 5/60s",
      "│     ├─┬ <1.3> connections          2 of 10000, temporary, shutdown 2s",
      "│     │ ├── <1.17> chat talking      10.0.0.7:51234, idle 12s",
      "│     │ └── <1.19> chat greeting     10.0.0.9:40012",
      "│     └── <1.4> listener             [::]:2222 running",
      "└── <2.1> worker 2 (os 4377)         up 4s, restarted 1",
      "",
    ].join("\n"),
  );
});

it("what is not listed is counted, below the last that is", async () => {
  const root = await new FakeControl().tree(1);
  expect(renderTree(root).split("\n").slice(4, 7)).toEqual([
    "│     ├─┬ <1.3> connections          2 of 10000, temporary, shutdown 2s",
    "│     │ ├── <1.17> chat talking      10.0.0.7:51234, idle 12s",
    "│     │ └── … and 1 more",
  ]);
});

it("below the last worker no line is drawn on", () => {
  const server = node("<1.2>", "tcp_server", "", {
    children: [node("<1.3>", "connections", "", { more: 3 })],
  });
  const worker = node("<1.1>", "worker 1", "", { kind: "worker", children: [server] });
  expect(renderTree(node("<0.1>", "drover", "", { children: [worker] }))).toBe(
    [
      "<0.1> drover",
      "└── <1.1> worker 1",
      "    └─┬ <1.2> tcp_server",
      "      └─┬ <1.3> connections",
      "        └── … and 3 more",
      "",
    ].join("\n"),
  );
});

it("the right column moves when a name needs the room", () => {
  const long = node("<1.1>", "x".repeat(40), "here");
  const lines = renderTree(node("<0.1>", "drover", "there", { children: [long] })).split("\n");
  expect(lines[0]!.indexOf("there")).toBe(52);
  expect(lines[1]!.indexOf("here")).toBe(52);
});

it("on a terminal a line ends where the terminal does", () => {
  const lines = renderTree(new FakeControl().root, 50).trimEnd().split("\n");
  expect(lines[0]).toBe("<0.1> drover                         one_for_one …");
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(50);
});

it("a name that would command the terminal is text", () => {
  const hostile = node("<1.1>", "a\x1b]0;owned\x07\nb", "\u202e71.1\x9b2J", {
    state: "\r",
    kind: "connection",
  });
  const text = renderTree(node("<0.1>", "drover", "", { children: [hostile] }));
  expect(text.split("\n")).toHaveLength(3);
  expect(text).toContain("<1.1> a\\x1b]0;owned\\x07\\nb \\r");
  expect(text).toContain("\\u202e71.1\\x9b2J");
});

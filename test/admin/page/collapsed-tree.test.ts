/** Which nodes are drawn of which tree. */
import { expect, test } from "vitest";
import {
  type Drawn,
  draw,
  findNode,
  MAX_DRAWN_CONNECTIONS,
  workerOf,
} from "../../../src/admin/page/model/collapsed-tree.js";
import type { TreeNode } from "../../../src/control/tree.js";

const leaf = (pid: string, kind: TreeNode["kind"], rest: Partial<TreeNode> = {}): TreeNode => {
  return { pid, kind, name: kind, detail: "", children: [], ...rest };
};

/** A server whose workers have so many connections each, of which `/tree` listed as many as the page asks for. */
function server(workers: number, connections: number, states?: Record<string, number>): TreeNode {
  const children = Array.from({ length: workers }, (_, at) => {
    const worker = at + 1;
    const listed = Array.from({ length: Math.min(connections, MAX_DRAWN_CONNECTIONS) }, (_, n) =>
      leaf(`<${worker}.${n + 17}>`, "connection", {
        name: "chat",
        state: "talking",
        detail: "10.0.0.7:51234",
      }),
    );
    const below = leaf(`<${worker}.3>`, "supervisor", {
      name: "connections",
      detail: `${connections} of 10000, temporary`,
      children: listed,
      ...(connections > MAX_DRAWN_CONNECTIONS && { more: connections - MAX_DRAWN_CONNECTIONS }),
      ...(states && { states }),
    });
    return leaf(`<${worker}.1>`, "worker", {
      state: "running",
      osPid: 4121,
      detail: "up 3h",
      children: [below],
    });
  });
  return leaf("<0.1>", "supervisor", {
    name: "drover",
    detail: "one_for_one 5/60s, 4 restarts left",
    children,
  });
}

function all(node: Drawn): Drawn[] {
  return [node, ...node.children.flatMap(all)];
}

const ids = (node: Drawn) => all(node).map(({ id }) => id);

test("a few connections are drawn one by one, named by their state", () => {
  const drawn = draw(server(1, 2), new Map());
  expect(ids(drawn)).toEqual(["<0.1>", "<1.1>", "<1.3>", "<1.17>", "<1.18>"]);
  expect(all(drawn).at(-1)).toMatchObject({ name: "talking", detail: "10.0.0.7:51234", worker: 1 });
});

test("many connections become one count for each state, the greatest first", () => {
  const drawn = draw(server(1, 5_000, { greeting: 1_000, talking: 4_000, gone: 0 }), new Map());
  const counts = all(drawn).filter(({ kind }) => kind === "count");
  expect(counts.map(({ id, count, state, worker }) => [id, count, state, worker])).toEqual([
    ["<1.3>/talking", 4_000, "talking", 1],
    ["<1.3>/greeting", 1_000, "greeting", 1],
  ]);
});

test("more states than have room share one count, and no connection is lost in it", () => {
  const states = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`state ${n}`, 100 + n]));
  const total = Object.values(states).reduce((sum, one) => sum + one, 0);
  const counts = all(draw(server(1, total, states), new Map())).filter(({ kind }) => kind === "count");
  expect(counts).toHaveLength(6);
  expect(counts.at(-1)).toMatchObject({ name: "other states" });
  expect(counts.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(total);
});

test("a server that does not tell states gets one count of all", () => {
  const counts = all(draw(server(1, 300), new Map())).filter(({ kind }) => kind === "count");
  expect(counts).toMatchObject([{ name: "connections", count: 300 }]);
});

test("a closed branch shows nothing below it, and says that there is something", () => {
  const drawn = draw(server(2, 2), new Map([["<1.1>", false]]));
  expect(ids(drawn)).toEqual(["<0.1>", "<1.1>", "<2.1>", "<2.3>", "<2.17>", "<2.18>"]);
  expect(drawn.children.map(({ open }) => open)).toEqual([false, true]);
  expect(drawn.children[0]?.detail).toBe("2 connections, up 3h, os 4121");
});

test("of many workers each begins closed, until it is opened", () => {
  const tree = server(64, 10);
  expect(ids(draw(tree, new Map()))).toHaveLength(65);
  expect(ids(draw(tree, new Map([["<3.1>", true]])))).toContain("<3.3>");
});

test("large numbers are grouped as everywhere on the page", () => {
  const details = all(draw(server(1, 5_000), new Map())).map(({ detail }) => detail);
  expect(details).toContain("5,000 of 10,000");
  const closed = draw(server(1, 5_000), new Map([["<1.1>", false]]));
  expect(closed.children[0]?.detail).toMatch(/^5,000 connections, /);
});

test("with ten thousand connections the picture has as few nodes as with ten", () => {
  const many = ids(draw(server(2, 5_000, { talking: 4_000, greeting: 1_000 }), new Map()));
  expect(many.length).toBeLessThan(12);
});

test("a pid tells its worker, and is found in what the server told", () => {
  expect([workerOf("<0.1>"), workerOf("<17.4>"), workerOf("nonsense")]).toEqual([0, 17, 0]);
  expect(findNode(server(2, 1), "<2.17>")).toMatchObject({ kind: "connection" });
  expect(findNode(server(2, 1), "<9.9>")).toBeUndefined();
});

/** Where the nodes stand, and how the keyboard goes through them. */
import { expect, test } from "vitest";
import type { Drawn } from "../../../src/admin/page/model/collapsed-tree.js";
import { layout, NARROW } from "../../../src/admin/page/model/layout.js";
import type { Layout, Placed } from "../../../src/admin/page/model/layout-parts.js";
import { keyAction } from "../../../src/admin/page/model/tree-keys.js";

const node = (id: string, worker: number, children: Drawn[] = [], rest: Partial<Drawn> = {}): Drawn => {
  const open = children.length > 0 ? { open: true } : {};
  return { id, pid: id, kind: "process", name: id, detail: "", worker, children, ...open, ...rest };
};

function server(workers: number, connections: number): Drawn {
  const below = Array.from({ length: workers }, (_, at) => {
    const worker = at + 1;
    const clients = Array.from({ length: connections }, (_, n) => node(`c${worker}.${n}`, worker));
    const supervisor = node(`s${worker}`, worker, [
      node(`cs${worker}`, worker, clients),
      node(`l${worker}`, worker),
    ]);
    return node(`w${worker}`, worker, [supervisor]);
  });
  return node("root", 0, [node("admin", 0), ...below]);
}

const cardWidth = () => ({ least: 120, most: 180 });
const placed = (root: Drawn, width: number) => layout(root, width, cardWidth);

function overlapping(nodes: readonly Placed[]): string[] {
  return nodes.flatMap((a, at) =>
    nodes
      .slice(at + 1)
      .filter(
        (b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
      )
      .map((b) => `${a.node.id} ${b.node.id}`),
  );
}

const of = ({ nodes }: Layout, id: string) => nodes.find((one) => one.node.id === id) as Placed;

test.each([1, 2, 8, 64])("no card covers another, with %i workers, wide or narrow", (workers) => {
  for (const width of [1400, 900, 390]) {
    const { nodes } = placed(server(workers, 6), width);
    expect(nodes).toHaveLength(2 + workers * 10);
    expect(overlapping(nodes)).toEqual([]);
  }
});

test("a wide place has the tree from left to right, with every child right of its parent", () => {
  const tree = placed(server(2, 3), 1200);
  for (const one of tree.nodes) {
    if (one.parent) expect(one.x).toBeGreaterThan(of(tree, one.parent).x + of(tree, one.parent).width);
  }
  expect(tree.width).toBeLessThanOrEqual(1200);
});

test("a narrow place has an outline that is no wider than itself", () => {
  const tree = placed(server(2, 3), NARROW - 1);
  expect(placed(server(2, 3), 390).width).toBeLessThanOrEqual(390);
  const ys = tree.nodes.map(({ y }) => y);
  expect(ys).toEqual(ys.toSorted((a, b) => a - b));
});

test("every OS process has a frame around all of its own, which no other reaches into", () => {
  const tree = placed(server(4, 3), 1200);
  expect(tree.frames).toHaveLength(4);
  for (const [at, frame] of tree.frames.entries()) {
    const inside = tree.nodes.filter(({ y, height }) => y + height > frame.y && y < frame.y + frame.height);
    const ids = inside.filter(({ node }) => node.worker > 0).map(({ node }) => node.worker);
    expect(new Set(ids)).toEqual(new Set([at + 1]));
  }
  expect(of(tree, "admin").y).toBeLessThan(tree.frames[0]?.y as number);
});

test("assistive technology is told level, position and number of siblings", () => {
  const tree = placed(server(2, 3), 1200);
  expect(of(tree, "root")).toMatchObject({ level: 1, position: 1, siblings: 1 });
  expect(of(tree, "w2")).toMatchObject({ level: 2, position: 3, siblings: 3 });
  expect(of(tree, "c1.1")).toMatchObject({ level: 5, position: 2, siblings: 3 });
});

test("the arrow keys go up and down in the order of the tree, and stop at its ends", () => {
  const { nodes } = placed(server(1, 2), 1200);
  expect(keyAction(nodes, "root", "ArrowDown")).toEqual({ do: "focus", id: "admin" });
  expect(keyAction(nodes, "admin", "ArrowUp")).toEqual({ do: "focus", id: "root" });
  expect(keyAction(nodes, "root", "ArrowUp")).toBeUndefined();
  expect(keyAction(nodes, "root", "End")).toEqual({ do: "focus", id: "l1" });
  expect(keyAction(nodes, "l1", "ArrowDown")).toBeUndefined();
  expect(keyAction(nodes, "l1", "Home")).toEqual({ do: "focus", id: "root" });
});

test("right opens a branch or enters it, left closes it or leaves it", () => {
  const { nodes } = placed(node("root", 0, [node("shut", 1, [], { open: false }), node("leaf", 0)]), 1200);
  expect(keyAction(nodes, "shut", "ArrowRight")).toEqual({ do: "open", id: "shut" });
  expect(keyAction(nodes, "root", "ArrowRight")).toEqual({ do: "focus", id: "shut" });
  expect(keyAction(nodes, "leaf", "ArrowRight")).toBeUndefined();
  expect(keyAction(nodes, "leaf", "ArrowLeft")).toEqual({ do: "focus", id: "root" });
  expect(keyAction(nodes, "root", "ArrowLeft")).toEqual({ do: "close", id: "root" });
});

test("Enter and space choose; other keys are left to the browser", () => {
  const { nodes } = placed(server(1, 1), 1200);
  for (const key of ["Enter", " "]) expect(keyAction(nodes, "w1", key)).toEqual({ do: "choose", id: "w1" });
  expect(keyAction(nodes, "w1", "Tab")).toBeUndefined();
  expect(keyAction(nodes, "gone", "Enter")).toBeUndefined();
});

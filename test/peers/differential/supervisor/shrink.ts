/** Shrinks a failing scenario: leaves out steps, operations and children as long as it still fails. */
import type { Node, Op, Scenario, StaticNode } from "./scenario.js";

type Steps = Scenario["steps"];

/** All scenarios with one part less, the largest parts first. */
export function smaller(scenario: Scenario): Scenario[] {
  const { tree, steps } = scenario;
  return [
    ...shorter(steps).map((fewer) => ({ tree, steps: fewer })),
    ...simplerOps(steps).map((simple) => ({ tree, steps: simple })),
    ...(simplerNode(tree) as Scenario["tree"][]).map((simple) => ({ tree: simple, steps })),
  ];
}

function without<T>(list: readonly T[]): T[][] {
  return list.map((_, at) => list.toSpliced(at, 1));
}

function shorter(steps: Steps): Steps[] {
  const half = Math.ceil(steps.length / 2);
  const halves = steps.length > 3 ? [steps.slice(0, half), steps.slice(half)] : [];
  const ops = steps.flatMap((step, at) =>
    step.length > 1 ? without(step).map((fewer) => steps.with(at, fewer)) : [],
  );
  return [...halves, ...without(steps), ...ops];
}

function simplerOps(steps: Steps): Steps[] {
  return steps.flatMap((step, at) =>
    step.flatMap((op, place) => simplerOp(op).map((simple) => steps.with(at, step.with(place, simple)))),
  );
}

function simplerOp(op: Op): Op[] {
  if (op.op === "add") return simplerNode(op.child).map((child) => ({ ...op, child }));
  if (op.op === "spawn") return simplerNode(op.child).map((child) => ({ ...op, child }) as Op);
  return [];
}

function simplerNode(node: Node): Node[] {
  const simple: Record<string, unknown>[] = [{ significant: false }, { shutdown: "brutal_kill" }];
  if (node.kind === "worker")
    simple.push({ plan: undefined }, { slow: 0 }, { starts: [] }, { starts: node.starts.slice(0, -1) });
  else simple.push({ auto: "never" }, { intensity: 1 }, { period: 1 }, { shutdown: "infinity" });
  if (node.kind === "static") simple.push({ strategy: "one_for_one" });
  const changed = simple
    .map((change) => ({ ...node, ...change }) as Node)
    .filter((other) => valid(other) && JSON.stringify(other) !== JSON.stringify(node));
  return node.kind === "static" ? [...fewerChildren(node), ...changed] : changed;
}

function fewerChildren(node: StaticNode): Node[] {
  const { children } = node;
  const simpler = children.flatMap((child, at) =>
    simplerNode(child).map((other) => children.with(at, other)),
  );
  return [...without(children), ...simpler].map((list) => ({ ...node, children: list }));
}

/** What both sides would refuse: a significant child where nothing heeds it. */
function valid(node: Node): boolean {
  if (node.kind === "worker" || node.auto !== "never") return true;
  return node.kind === "static" ? node.children.every((child) => !child.significant) : !node.of_significant;
}

/** Limits of an operator in place of a protocol's own, while its compiled forms are in use. */
import { expect, test } from "vitest";
import { OverriddenLimits } from "../../../src/cluster/worker/listeners/overridden-limits.js";
import { become, defineProtocol, lines, packet, raw } from "../../../src/index.js";

const second = defineProtocol({
  name: "second",
  framing: raw(),
  limits: { lifetime: "1h" },
  states: { ready: { frame: () => {} } },
});
const first = defineProtocol({
  name: "first",
  framing: packet(2),
  limits: { firstFrame: "10s", framesPerSecond: 50, workerInbound: 1024 },
  becomes: () => [second],
  states: { ready: { frame: () => become(second) } },
});

test("they hold at once in a protocol, with another framing too, and in those that its connections become before and after", () => {
  const limits = new OverriddenLimits({ lifetime: 5_000 });
  const compiled = limits.compile(first as never, {});
  const reframed = compiled.reframed(lines());
  expect(compiled.limits).toMatchObject({ lifetime: 5_000, firstFrame: 10_000, framesPerSecond: 50 });
  expect(limits.set({ lifetime: 5_000 })).toBe(false);
  expect(limits.set({ framesPerSecond: 10, firstFrame: 1_000 })).toBe(true);
  const other = compiled.other(second as never);
  for (const one of [compiled, reframed, other])
    expect(one.limits).toMatchObject({ framesPerSecond: 10, framesPerTurn: 10, firstFrame: 1_000 });
  expect([compiled.limits.lifetime, other.limits.lifetime]).toEqual([Infinity, 3_600_000]);
  expect([compiled.rated, other.rated]).toEqual([true, true]);
  limits.set({});
  expect(compiled.limits).toMatchObject({ framesPerSecond: 50, framesPerTurn: 50, firstFrame: 10_000 });
  expect(other.limits).toMatchObject({ framesPerSecond: Infinity, framesPerTurn: 64, firstFrame: Infinity });
  expect([compiled.rated, other.rated]).toEqual([true, false]);
});

test("bounds of a worker replace those of every protocol", () => {
  const limits = new OverriddenLimits({ workerInbound: 2 ** 20, workerOutbound: 2 ** 21 });
  const compiled = limits.compile(first as never, {});
  expect(compiled.limits).toMatchObject({ workerInbound: 2 ** 20, workerOutbound: 2 ** 21 });
  expect(compiled.other(second as never).limits).toMatchObject({ workerInbound: 2 ** 20 });
});

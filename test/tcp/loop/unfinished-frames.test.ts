/** Frames that have begun and not ended: all of them together are bounded by `limits.workerInbound`. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { localConnections } from "../../../src/cluster/inspect/connection-list.js";
import { defineProtocol, packet } from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import type { DynamicSupervisor } from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import { UnfinishedFrames } from "../../../src/tcp/loop/unfinished-frames.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import type { LimitOverrides } from "../../../src/tcp/protocol/limits.js";
import { closedAs, connected, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

const LIMIT = 200_000;

let free = () => {};
const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  limits: { workerInbound: LIMIT },
  states: {
    ready: {
      frame: (conn, frame) => {
        conn.send(frame);
        if (frame.length > 4_000 && frame[0] === 1) return new Promise<void>((resolve) => (free = resolve));
      },
    },
  },
});

/** The first so many bytes of a frame of 60,000. */
function begun(bytes: number): Buffer {
  const cut = Buffer.alloc(2 + bytes);
  cut.writeUInt16BE(60_000);
  return cut;
}

test("above the bound the largest are ended, and counted; smaller ones and whole frames go on", async () => {
  const { endpoint, counters, port } = await testServer(echo);
  const { unfinished } = endpoint.loop;
  const small = (await connected({ port })).write(begun(10_000));
  const honest = await connected({ port });
  const large = [];
  for (let n = 1; n <= 3; n++) {
    large.push((await connected({ port })).write(begun(50_000)));
    await until(() => unfinished.bytes === 10_002 + n * 50_002);
  }
  const last = (await connected({ port })).write(begun(55_000));
  await until(() => counters.closed.inbound_full === 1);
  expect(unfinished.bytes).toBe(10_002 + 3 * 50_002);
  await until(() => last.ended || last.closed);
  expect(await honest.send("hi").receive()).toEqual(["hi"]);
  // The rest of the small one comes.
  small.write(Buffer.alloc(50_000));
  await until(() => small.received === 60_002);
  expect(unfinished.count).toBe(3);
  for (const one of [small, honest, ...large]) one.reset();
  expect(await closedAs({ counters })).toMatchObject({ inbound_full: 1 });
  expect([unfinished.bytes, unfinished.count]).toEqual([0, 0]);
});

test("a bound that is lowered is in force for what has been received", async () => {
  const overrides: { now: LimitOverrides } = { now: {} };
  const endpoint = new Endpoint({ loop: new Loop() });
  const protocol = new CompiledProtocol(echo, { latency: endpoint.latency, overrides });
  const { counters, connections, port } = await testServer(echo, { endpoint, protocol });
  const { unfinished } = endpoint.loop;
  for (let n = 1; n <= 3; n++) {
    (await connected({ port })).write(begun(50_000));
    await until(() => unfinished.bytes === n * 50_002);
  }
  overrides.now = { workerInbound: 120_000 };
  protocol.overrideLimits();
  for (const connection of localConnections([processOf(connections) as DynamicSupervisor<[]>]))
    connection.limitsChanged();
  await until(() => counters.closed.inbound_full === 1);
  expect(unfinished.bytes).toBe(2 * 50_002);
});

test("what waits for a handler is not counted: the server is slow, not the client", async () => {
  const { endpoint, port } = await testServer(echo);
  const { unfinished } = endpoint.loop;
  const client = (await connected({ port })).write(begun(0)).write(Buffer.alloc(30_000, 1));
  await until(() => unfinished.bytes === 30_002);
  client.write(Buffer.alloc(30_000, 1)).write(begun(20_000));
  await until(() => client.received === 60_002);
  expect(unfinished.count).toBe(0);
  free();
  await until(() => unfinished.bytes === 20_002);
  client.reset();
  await until(() => unfinished.count === 0);
});

test("small beginnings are not counted", async () => {
  const { endpoint, counters, port } = await testServer(echo);
  const client = (await connected({ port })).write(begun(4_000));
  await until(() => counters.bytesReceived === 4_002);
  expect(endpoint.loop.unfinished.count).toBe(0);
  client.reset();
});

test("property: the sum is that of a model, the bound holds, and the largest go first, of equal ones the oldest", () => {
  const action = fc.record({ who: fc.nat(7), bytes: fc.integer({ min: 0, max: 100 }) });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const frames = new UnfinishedFrames();
      const model = new Map<number, number>();
      const ended: number[] = [];
      const people = Array.from({ length: 8 }, (_, who) => ({ endUnfinished: () => void ended.push(who) }));
      for (const { who, bytes } of actions) {
        const person = people[who] as (typeof people)[number];
        if (bytes === 0) {
          frames.delete(person);
          model.delete(who);
        } else {
          frames.set(person, bytes);
          model.set(who, bytes);
        }
        const order = [...model].sort(([, one], [, other]) => other - one).map(([one]) => one);
        frames.keepTo(200);
        expect(order.slice(0, ended.length)).toEqual(ended);
        for (const one of ended.splice(0)) model.delete(one);
        expect(frames.bytes).toBe([...model.values()].reduce((sum, one) => sum + one, 0));
        expect(frames.bytes).toBeLessThanOrEqual(200);
        expect(frames.count).toBe(model.size);
      }
    }),
    { numRuns: 300 },
  );
});

/** How long handlers take, where it is measured: and that it is measured nowhere else. */
import { expect, it } from "vitest";
import { defineProtocol, packet } from "../../../src/index.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { HANDLER_BOUNDS } from "../../../src/tcp/observe/events.js";
import { Latency } from "../../../src/tcp/observe/latency.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import { HANDLER_BUCKETS } from "../../../src/telemetry/metrics/snapshot.js";
import { connected, manualClock, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

const clock = () => manualClock();

/** Handlers that take as long as the test says. */
function slow(time: ReturnType<typeof clock>) {
  return defineProtocol({
    name: "slow",
    framing: packet(2),
    states: {
      ready: {
        enter: () => {},
        frame: async (conn, frame) => {
          await time.advance(Number(frame));
          conn.send("done");
          if (String(frame) === "7000") throw new Error("as told");
        },
      },
    },
  });
}

it("a bound is the upper end of its bucket", () => {
  const latency = new Latency();
  for (const seconds of [0, 0.0001, 0.00011, 10, 10.1, 1e9]) latency.record(seconds);
  expect(latency.counts[0]).toBe(2);
  expect(latency.counts[1]).toBe(1);
  expect(latency.counts.slice(-2)).toEqual([1, 2]);
  expect(HANDLER_BUCKETS).toHaveLength(HANDLER_BOUNDS.length + 1);
});

it("a handler that waits is measured until it is through, and one that crashes as well", async () => {
  const time = clock();
  const protocol = slow(time);
  const endpoint = new Endpoint({ timed: true });
  const server = await testServer(protocol, { endpoint });
  const client = await connected(server);
  client.send("30");
  await client.receive(1);
  client.send("7000");
  await until(() => endpoint.counters.crashes === 1);
  const counted = Object.fromEntries(
    endpoint
      .latency!.counts.map((count, at) => [HANDLER_BOUNDS[at] ?? "more", count])
      .filter(([, count]) => count),
  );
  // `enter` took no time at all.
  expect(counted).toEqual({ 0.0001: 1, 0.05: 1, 10: 1 });
  expect(endpoint.latency!.seconds).toBeCloseTo(7.03, 5);
});

it("without the option connections run on the very cells that the protocol was compiled to", () => {
  const { initial } = new CompiledProtocol(
    defineProtocol({ name: "bare", framing: packet(2), states: { ready: { frame: unmeasured } } }),
  );
  expect([new Endpoint().latency, initial.frame]).toEqual([undefined, unmeasured]);
});

function unmeasured(): void {}

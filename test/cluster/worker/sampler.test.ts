/** Snapshots of a worker: what the primary must know to call a listener drained. */
import { channel } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { WorkerListener } from "../../../src/cluster/worker/listeners/worker-listener.js";
import { Sampler } from "../../../src/cluster/worker/sampler.js";
import { AcceptRate } from "../../../src/tcp/admission/accept-rate.js";
import type { AddressAuthority } from "../../../src/tcp/admission/terms.js";
import { OwnNumbers } from "../../../src/tcp/metrics/own-numbers.js";

type Done = Parameters<AddressAuthority["take"]>[2];

function stage() {
  const asked: Done[] = [];
  const addresses: AddressAuthority = {
    take: (_listener, _group, done) => void asked.push(done),
    give: () => {},
  };
  const boot = {
    name: "main",
    address: { address: "127.0.0.1", port: 1 },
    addresses: true,
    maxConnections: 10,
    acceptRate: { rate: undefined, tokens: 0 },
  };
  const listener = new WorkerListener(
    { ...boot, suspended: true } as ConstructorParameters<typeof WorkerListener>[0],
    {
      ...{ timed: false, tls: undefined, only: true, addresses },
      acceptRate: new AcceptRate(undefined),
      descriptors: { accepted: () => {} },
      maximum: () => 10,
      overloaded: () => false,
      post: () => {},
    },
  );
  const sampler = new Sampler({
    listeners: [listener],
    reports: channel("test:reports"),
    intensity: 5,
    root: () => undefined,
    limits: () => ({ applied: 0, maxConnections: 10, descriptorsExhausted: 0 }),
    channelMessagesDropped: () => 0,
    overload: { pausedSeconds: 0, lagLevel: 0, memoryLevel: 0, memorySeconds: 0 },
    own: new OwnNumbers([]),
  });
  return { gate: listener.endpoint.gate, asked, gauges: () => sampler.take(0).listeners[0]?.gauges };
}

test("a suspended listener runs on in the snapshot while a client that it accepted waits for the verdict on its address", () => {
  const { gate, asked, gauges } = stage();
  expect(gauges()?.listenerRunning).toBe(0);
  gate?.enter("192.0.2.1", () => {});
  expect(gauges()?.listenerRunning).toBe(1);
  asked[0]?.(undefined);
  expect(gauges()?.listenerRunning).toBe(0);
});

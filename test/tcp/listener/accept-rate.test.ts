/** Listeners with an accept rate: what comes above it waits, and is served later. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, packet, serve } from "../../../src/index.js";
import { AcceptRate } from "../../../src/tcp/admission/accept-rate.js";
import { AcceptRates } from "../../../src/tcp/admission/accept-rates.js";
import type { ListenerEvent } from "../../../src/tcp/observe/events.js";
import { stream } from "../../../src/transport/stream/stream.js";
import type { Transport } from "../../../src/transport/transport.js";
import { connected, manualClock, serving, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

function listenerEvents(): string[] {
  const seen: string[] = [];
  const note = (event: unknown) => {
    const { what, resumed } = event as ListenerEvent;
    seen.push(resumed ? `${what} again` : what);
  };
  subscribe("tcp.listener", note);
  onTestFinished(() => void unsubscribe("tcp.listener", note));
  return seen;
}

/** Says when it is paused; what its listener accepts is passed on at once. */
function pausable() {
  const said: string[] = [];
  const pausing = { pause: () => void said.push("pause"), resume: () => void said.push("resume") };
  const transport: Transport = {
    ...stream,
    listen: async (target, options) => ({ ...(await stream.listen(target, options)), pausing }),
  };
  return { said, transport };
}

test("a listener without tokens pauses, and resumes when there is one; the time is counted", async () => {
  const clock = manualClock();
  const events = listenerEvents();
  const { said, transport } = pausable();
  const rate = new AcceptRate({ perSecond: 2, burst: 2 });
  const server = await testServer(echo, { renewable: true, transport, rates: new AcceptRates(rate) });
  await connected(server);
  await until(() => server.counters.accepted === 1);
  expect(server.listener.state).toBe("listening");
  await connected(server);
  await until(() => server.listener.state === "rate_limited");
  await clock.advance(499);
  expect(server.listener.rateLimitedMs).toBe(499);
  await clock.advance(1);
  expect(server.listener.state).toBe("listening");
  expect(server.counters.rateLimitedMs).toBe(500);
  expect(said).toEqual(["pause", "resume"]);
  expect(events).toEqual(["listening", "rate_limited", "listening again"]);
});

test("the time without tokens is counted also where the listener closes its socket meanwhile", async () => {
  const clock = manualClock();
  const rate = new AcceptRate({ perSecond: 2, burst: 1 });
  const server = await testServer(echo, {
    renewable: true,
    transport: stream,
    rates: new AcceptRates(rate),
  });
  await connected(server);
  await until(() => server.listener.state === "rate_limited");
  await clock.advance(500);
  await until(() => server.listener.state === "listening");
  expect(server.counters.rateLimitedMs).toBe(500);
});

test("a listener that is full and has no tokens waits for both, whichever comes first", async () => {
  const clock = manualClock();
  const { transport } = pausable();
  const rate = new AcceptRate({ perSecond: 1, burst: 2 });
  const rates = new AcceptRates(rate);
  const server = await testServer(echo, { renewable: true, transport, rates, maxConnections: 2 });
  const clients = [await connected(server), await connected(server)];
  await until(() => server.counters.active === 2);
  expect(server.listener.state).toBe("rate_limited");
  await clock.advance(2_000);
  expect(server.listener.state).toBe("full");
  await clients[0]?.close();
  await until(() => server.listener.state === "listening");
  clients.push(await connected(server));
  await until(() => server.listener.state === "full");
  await clients[1]?.close();
  await until(() => server.listener.state === "listening");
  clients.push(await connected(server));
  await until(() => server.listener.state === "rate_limited");
  await clients[2]?.close();
  await until(() => server.counters.active === 1);
  expect(server.listener.state).toBe("rate_limited");
  await clock.advance(2_000);
  expect(server.listener.state).toBe("listening");
  expect(server.counters.refused).toMatchObject({ max_connections: 0, accept_rate: 0 });
});

test("a rate that is set at run time holds from the next connection on, and one that is removed at once", async () => {
  manualClock();
  const { transport } = pausable();
  const rate = new AcceptRate(undefined);
  const server = await testServer(echo, { renewable: true, transport, rates: new AcceptRates(rate) });
  await connected(server);
  await until(() => server.counters.accepted === 1);
  rate.set({ perSecond: 1, burst: 5 });
  expect(server.listener.state).toBe("rate_limited");
  rate.set(undefined);
  expect(server.listener.state).toBe("listening");
});

test("serve: what comes above the rate waits unread and is served in turn; none is refused", async () => {
  const clock = manualClock();
  const server = await serving(echo, { acceptRate: "10:3" });
  const clients = await Promise.all(Array.from({ length: 8 }, () => connected(server)));
  for (const [at, client] of clients.entries()) client.send(`${at}`);
  await until(() => server.counters.accepted === 3);
  await turn(5);
  expect(server.counters.accepted).toBe(3);
  await clock.advance(100);
  expect(server.counters.accepted).toBe(4);
  await clock.advance(1_000);
  expect(server.counters.accepted).toBe(8);
  for (const [at, client] of clients.entries()) expect(await client.receive()).toEqual([`${at}`]);
  expect(Object.values(server.counters.refused).every((count) => count === 0)).toBe(true);
});

test("serve: of what waits there are at most as many as the backlog; more are reset and counted", async () => {
  manualClock();
  const server = await serving(echo, { acceptRate: "1:1", backlog: 2 });
  await Promise.all(Array.from({ length: 6 }, () => connected(server)));
  await until(() => server.counters.refused.accept_rate === 3);
  expect(server.counters.accepted).toBe(1);
});

test("serve: listeners share the rate of all, beside their own", async () => {
  const clock = manualClock();
  const server = await serve({
    acceptRate: "1:4",
    listeners: [
      { name: "one", protocol: echo, port: 0, acceptRate: "1:1", shutdown: 0 },
      { name: "other", protocol: echo, port: 0, shutdown: 0 },
    ],
  });
  onTestFinished(async () => {
    let stopped = false;
    const stop = server.stop().finally(() => {
      stopped = true;
    });
    while (!stopped) await clock.advance(1_000);
    await stop;
  });
  const { one, other } = server.listeners;
  for (let n = 0; n < 3; n++) await connected(one);
  await until(() => one.counters.accepted === 1);
  for (let n = 0; n < 6; n++) await connected(other);
  await until(() => other.counters.accepted === 3);
  await turn(5);
  expect([one.counters.accepted, other.counters.accepted]).toEqual([1, 3]);
  await clock.advance(1_000);
  expect(one.counters.accepted + other.counters.accepted).toBe(5);
});

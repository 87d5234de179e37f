/** Connections that are kept open: backoff on a manual clock, names, ends; no restart is counted. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  connect,
  connection,
  defineProtocol,
  exit,
  lines,
  type ManualClock,
  type Pid,
  startSupervisor,
  stop,
  whereis,
} from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { type Supervisor, stopSupervisor } from "../../../src/otp/supervisor/supervisor.js";
import type { OutgoingEvent } from "../../../src/tcp/observe/events.js";
import { manualClock } from "../../support/serving.js";
import { until } from "../../support/until.js";

const client = defineProtocol({
  name: "keeper",
  framing: lines(),
  states: {
    open: {
      frame: (_conn, line) => (line === "bye" ? stop() : undefined),
      idle: { after: "9h", do: stop() },
    },
  },
});

/** A server that can be killed and come back at the same port. */
async function upstream() {
  let server: Server;
  let sockets: Socket[] = [];
  let accepted = 0;
  const begin = async (port = 0) => {
    server = createServer((socket) => {
      accepted++;
      sockets.push(socket.on("error", () => {}));
    }).listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const port = await begin();
  const kill = () => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    sockets = [];
  };
  onTestFinished(kill);
  return { port, kill, back: () => begin(port), accepted: () => accepted, sockets: () => sockets };
}

function events(): OutgoingEvent[] {
  const seen: OutgoingEvent[] = [];
  const note = (event: unknown) => void seen.push(event as OutgoingEvent);
  subscribe("tcp.outgoing", note);
  onTestFinished(() => void unsubscribe("tcp.outgoing", note));
  return seen;
}

/** Jitter at its longest: the delays are those of the formula. */
function longestDelays(): void {
  const random = vi.spyOn(Math, "random").mockReturnValue(1);
  onTestFinished(() => random.mockRestore());
}

/** Passes time until the next event, and gives the time that has passed. */
async function nextEvent(clock: ManualClock, seen: OutgoingEvent[]): Promise<number> {
  const before = seen.length;
  const began = clock.now();
  // Sockets need real time.
  while (seen.length === before) {
    await clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return clock.now() - began;
}

test("an upstream that is killed is connected to again with growing pauses, under the same name, without a restart", async () => {
  const clock = manualClock();
  longestDelays();
  const seen = events();
  const { port, kill, back } = await upstream();
  const root = await startSupervisor("own", { intensity: 1 }, [
    connection(client, { port, name: "db", reconnect: { first: "200ms", max: "1s" } }),
  ]);
  const first = await until(() => whereis("db"));
  kill();
  await until(() => seen.length === 2);
  expect(whereis("db")).toBeUndefined();
  for (let n = 0; n < 5; n++) await nextEvent(clock, seen);
  expect(seen.map(({ what, code, retryMs }) => [what, code, retryMs])).toEqual([
    ["open", undefined, undefined],
    ["ended", undefined, 200],
    ["failed", "econnrefused", 400],
    ["failed", "econnrefused", 800],
    ["failed", "econnrefused", 1_000],
    ["failed", "econnrefused", 1_000],
    ["failed", "econnrefused", 1_000],
  ]);
  expect(seen[2]).toMatchObject({ protocol: "keeper", name: "db", place: `127.0.0.1:${port}` });
  await back();
  await nextEvent(clock, seen);
  const second = whereis("db") as Pid;
  expect([seen.at(-1)?.what, second === first, processOf(first)]).toEqual(["open", false, undefined]);
  expect((processOf(root) as Supervisor).restartsLeft).toBe(1);

  // After it was open for the longest delay, the next pause is the first again.
  await clock.advance(1_000);
  kill();
  await nextEvent(clock, seen);
  expect(seen.at(-1)).toMatchObject({ what: "ended", retryMs: 200 });
  await stopSupervisor(root);
  await clock.advance(60_000);
  expect(whereis("db")).toBeUndefined();
  expect(clock.pending).toBe(0);
});

test("one that accepts and closes at once is not connected to more and more often", async () => {
  const clock = manualClock();
  longestDelays();
  const seen = events();
  const { port, sockets } = await upstream();
  await connect(client, { port, reconnect: { first: "100ms", max: "400ms" }, name: "flaky" });
  for (let n = 0; n < 4; n++) {
    (await until(() => sockets()[n])).end();
    await until(() => seen.at(-1)?.what === "ended");
    await nextEvent(clock, seen);
  }
  expect(seen.flatMap(({ retryMs }) => retryMs ?? [])).toEqual([100, 200, 400, 400]);
  exit(whereis("flaky") as Pid, "shutdown");
  await until(() => whereis("flaky") === undefined);
  await clock.advance(5_000);
  expect(whereis("flaky")).toBeUndefined();
});

test("connect waits for an upstream that is not there yet, and its process ends with shutdown", async () => {
  const clock = manualClock();
  const seen = events();
  const { port, kill, back, accepted } = await upstream();
  kill();
  const waiting = connect(client, { port, reconnect: true });
  await until(() => seen.some(({ what }) => what === "failed"));
  await back();
  while (seen.at(-1)?.what !== "open") await nextEvent(clock, seen);
  const pid = await waiting;
  expect(processOf(pid)).toBeDefined();
  kill();
  await until(() => !processOf(pid));
  const root = seen.at(-1)?.pid as Pid;
  exit(root, "shutdown");
  await until(() => !processOf(root));
  const count = accepted();
  await back();
  await clock.advance(60_000);
  expect(accepted()).toBe(count);
});

test("a caller that ends before the connection is open ends the attempts, also by `normal`", async () => {
  const clock = manualClock();
  const seen = events();
  const { port, sockets } = await upstream();
  const caller = await connect(client, { port });
  const refused = connect(client, { port: 1, reconnect: true, link: caller });
  refused.catch(() => {});
  await until(() => seen.some(({ what }) => what === "failed"));
  // `stop()`: it ends as `normal`, which a link does not pass on.
  (await until(() => sockets()[0])).write("bye\n");
  await until(() => !processOf(caller));
  await expect(refused).rejects.toThrow("ended before it was open");
  const attempts = seen.length;
  await clock.advance(60_000);
  expect(seen).toHaveLength(attempts);
});

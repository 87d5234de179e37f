/** Accepted clients on whose address the gate has not decided: each has a place, which no lowered limit takes away. */
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, packet, whereis } from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import type { DynamicSupervisor } from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import type { FullPolicy } from "../../../src/tcp/admission/full-policy.js";
import { Gate } from "../../../src/tcp/admission/gate.js";
import type { AddressRefusal } from "../../../src/tcp/admission/terms.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import type { Listener } from "../../../src/tcp/listener/listener.js";
import { SharedMaximum } from "../../../src/tcp/listener/shared-maximum.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import { startServers, stopServers } from "../../../src/tcp/server.js";
import { type BoundHandle, bind } from "../../../src/transport/listening-socket.js";
import { stream } from "../../../src/transport/stream/stream.js";
import type { Transport } from "../../../src/transport/transport.js";
import { connected } from "../../support/serving.js";
import { until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

/** Its listeners keep their sockets while they are full, as copies of the primary's do. */
const pausable: Transport = {
  ...stream,
  listen: async (target, options) => {
    const pausing = { pause: () => {}, resume: () => {} };
    return { ...(await stream.listen(target, options)), pausing };
  },
};

type Verdict = (refusal?: AddressRefusal) => void;

/** Listeners as in a worker, with gates whose verdicts wait for the test. */
async function gated(names: readonly string[], limits: { own: number; all: number }, full?: FullPolicy) {
  const verdicts: Verdict[] = [];
  const authority = {
    take: (_: string, __: string, done: Verdict) => void verdicts.push(done),
    give: () => {},
  };
  const endpoints = names.map((name) => new Endpoint({ name, gate: new Gate(name, { authority }) }));
  const shared = new SharedMaximum(endpoints, () => limits.all);
  const servers = endpoints.map((endpoint) => {
    let bound: BoundHandle | undefined = bind("127.0.0.1", 0);
    const { port } = bound;
    const acquire = async () => {
      const { handle } = bound ?? bind("127.0.0.1", port);
      bound = undefined;
      return { handle };
    };
    return {
      ...{
        endpoint,
        shared,
        ...(full && { full, transport: pausable }),
        prefix: `${endpoint.name}.`,
        protocol: new CompiledProtocol(echo),
      },
      ...{ acquire, renewable: true, shutdown: "100ms" as const },
      get maxConnections() {
        return limits.own;
      },
    };
  });
  const root = await startServers(servers);
  onTestFinished(() => stopServers(root));
  const listener = (name: string) => processOf(whereis(`${name}.listener`)!) as Listener;
  const client = (name: string) => connected({ port: listener(name).address.port });
  /** As a worker does when the primary has lowered its share. */
  const lower = (to: Partial<typeof limits>) => {
    Object.assign(limits, to);
    for (const name of names) {
      (processOf(whereis(`${name}.connections`)!) as DynamicSupervisor<[]>).maxChildren = limits.own;
      listener(name).recheck();
    }
  };
  return { endpoints, verdicts, listener, client, lower };
}

test.each([{ own: 0 }, { all: 0 }])(
  "a limit lowered to %o while the gate decides refuses none that was accepted",
  async (to) => {
    const { endpoints, verdicts, client, lower } = await gated(["a", "b"], { own: 5, all: 9 });
    const waiting = (await client("a")).send("hi");
    await until(() => verdicts.length === 1);
    expect(endpoints.map(({ taken }) => taken)).toEqual([1, 0]);
    lower(to);
    verdicts[0]?.();
    expect(await waiting.receive()).toEqual(["hi"]);
    expect(endpoints[0]?.counters).toMatchObject({ active: 1, refused: { max_connections: 0 } });
  },
);

test("a client on which the gate has not decided takes a place of the maximum of all listeners", async () => {
  const { endpoints, verdicts, listener, client } = await gated(["a", "b"], { own: 5, all: 1 });
  const first = (await client("a")).send("1");
  await until(() => verdicts.length === 1);
  expect([listener("a").state, listener("b").state]).toEqual(["full", "full"]);
  verdicts[0]?.({ reason: "banned", ms: 0 });
  await until(() => first.closed && listener("b").state === "listening");
  const second = (await client("b")).send("2");
  await until(() => verdicts.length === 2);
  verdicts[1]?.();
  expect(await second.receive()).toEqual(["2"]);
  expect(endpoints.map(({ counters }) => counters.refused.max_connections)).toEqual([0, 0]);
});

const SHED: FullPolicy = { mode: "shed", everywhere: true, changed: () => {} };

test("a client that the gate admits at the limit takes the place of an idle one, where the limit sheds", async () => {
  const { endpoints, verdicts, client } = await gated(["a"], { own: 1, all: 9 }, SHED);
  const first = (await client("a")).send("1");
  await until(() => verdicts.length === 1);
  verdicts[0]?.();
  expect(await first.receive()).toEqual(["1"]);
  const second = (await client("a")).send("2");
  await until(() => verdicts.length === 2);
  verdicts[1]?.();
  expect(await second.receive()).toEqual(["2"]);
  expect(endpoints[0]?.counters).toMatchObject({ active: 1, closed: { shed: 1 } });
});

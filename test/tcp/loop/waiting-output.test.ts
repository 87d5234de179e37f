/** Output that clients do not take: that of all connections together is bounded by `limits.workerOutbound`. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { type Conn, defineProtocol, exit, packet } from "../../../src/index.js";
import type { MemoryBound } from "../../../src/tcp/observe/events.js";
import { closedAs, connected, testServer } from "../../support/serving.js";
import { until } from "../../support/until.js";

const MIB = 1024 * 1024;
const LIMIT = 64 * MIB;

test("above the bound the largest is ended and counted; the others, and clients that read, go on", async () => {
  const conns: Conn<any, any>[] = [];
  const left: string[] = [];
  const given = defineProtocol({
    name: "given",
    framing: packet(4, { maxLength: 32 * MIB }),
    limits: { workerOutbound: LIMIT },
    states: {
      ready: {
        enter: (conn) => void conns.push(conn),
        frame: (conn, frame) => conn.send(frame),
        leave: (conn) => {
          left.push(`leave with ${conn.outbound}`);
          conn.send("farewell");
        },
      },
    },
  });
  const { counters, endpoint, port } = await testServer(given);
  const { waitingOutput } = endpoint.loop;
  const ended: MemoryBound[] = [];
  const note = (event: unknown) => void ended.push(event as MemoryBound);
  subscribe("tcp.memory_bound", note);
  onTestFinished(() => void unsubscribe("tcp.memory_bound", note));
  /** One that reads nothing, and has so much sent. */
  const deaf = async (mib: number) => {
    const client = await connected({ port });
    client.socket.pause();
    await until(() => conns.length === counters.accepted);
    (conns.at(-1) as Conn<any, any>).send(Buffer.alloc(mib * MIB, mib));
    return client;
  };
  const honest = (await connected({ port })).write(Buffer.from("\0\0\0\x02hi"));
  const [small, large] = [await deaf(16), await deaf(24), await deaf(20)];
  await until(() => honest.received === 6);
  expect([counters.active, waitingOutput.bytes]).toEqual([4, 60 * MIB + 12]);

  const last = await deaf(12);
  // The memory is free at once; the connection ends when that handler is done.
  expect(waitingOutput.bytes).toBe(48 * MIB + 12);
  await until(() => counters.closed.outbound_full === 1);
  large.socket.resume();
  await until(() => large.ended || large.closed);
  expect(large.received).toBeLessThan(24 * MIB);
  expect(left).toEqual(["leave with 0"]);
  expect(ended).toMatchObject([
    {
      ...{ counted: "outbound_full", listener: "main", protocol: "given" },
      peer: { address: "127.0.0.1", port: large.socket.localPort },
      message: `the client had not taken ${24 * MIB + 4} bytes when all of the worker took limits.workerOutbound`,
    },
  ]);

  honest.write(Buffer.from("\0\0\0\x03and"));
  await until(() => honest.received === 13);
  for (const [client, mib] of [[small, 16] as const, [last, 12] as const]) {
    client.socket.resume();
    await until(() => client.received === mib * MIB + 4);
  }
  expect(counters.active).toBe(4);
  for (const { pid } of conns) exit(pid, "kill");
  expect(await closedAs({ counters })).toMatchObject({ outbound_full: 1 });
  expect([counters.outbound, waitingOutput.bytes]).toEqual([0, 0]);
}, 30_000);

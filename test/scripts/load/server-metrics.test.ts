// The server's own account, read from its admin address.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { ServerMetrics } from "../../../scripts/load/coordinator/server-metrics.js";

async function admin(texts: string[], now = true) {
  const server = createServer((request, response) => {
    if (request.url === "/metrics/now" && !now) return response.writeHead(401).end();
    const text = texts.length > 1 ? texts.shift() : texts[0];
    response.writeHead(text ? 200 : 503).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

function metrics(frames: number, cpu: [worker1: number, worker2: number], restarts = 0): string {
  return `# HELP
drover_connections_accepted_total{worker="1",listener="main"} ${frames / 10}
drover_frames_received_total{worker="1",listener="main"} ${frames}
drover_frames_received_total{worker="2",listener="main"} 5
drover_frames_sent_total{worker="1",listener="main"} ${frames}
drover_supervisor_restarts_total{supervisor="drover",child="worker 1"} ${restarts}
process_cpu_user_seconds_total{worker="1"} ${cpu[0]}
process_cpu_system_seconds_total{worker="1"} 0.5
process_cpu_user_seconds_total{worker="2"} ${cpu[1]}
process_resident_memory_bytes{worker="1"} 1e+06
`;
}

describe("the watch on the server", () => {
  it("counts from when it was opened, and CPU time across a worker that was replaced", async () => {
    await using server = await admin([
      metrics(100, [1, 1]),
      metrics(200, [3, 1]),
      metrics(300, [0.25, 2], 1),
    ]);
    const watch = await ServerMetrics.open(server.url);
    await watch.sample();
    const sample = await watch.sample();
    expect(watch.counts).toEqual({ accepted: 20, framesReceived: 200, framesSent: 200, restarts: 1 });
    // Worker 1 used 2 s, was replaced, and its successor 0.25 + 0.5; worker 2 used 1 s.
    expect(sample!.cpuSeconds).toBeCloseTo(3.75, 6);
    expect(watch.report(undefined, 1_000)).toMatchObject({ cpu: sample!.cpuSeconds, memoryBytes: 1e6 });
    expect(watch.report(0.5, 1_000).cpu).toBe(0.5);
  });

  it("asks for the numbers of this moment, and takes those of the last second where it may not", async () => {
    for (const now of [true, false]) {
      await using server = await admin([metrics(0, [0, 0]), metrics(10, [0, 0])], now);
      const watch = await ServerMetrics.open(server.url);
      expect((await watch.sample())?.framesReceived).toBe(15);
      expect(watch.counts.framesReceived).toBe(10);
    }
  });

  it("waits for counts that workers tell only once a second", async () => {
    await using server = await admin([metrics(0, [0, 0]), metrics(50, [0, 0]), metrics(100, [0, 0])]);
    const watch = await ServerMetrics.open(server.url);
    await watch.settle({ opened: 10, sent: 100, echoed: 100 });
    expect(watch.counts.framesReceived).toBe(100);
  });

  it("goes on without a server that does not answer in between", async () => {
    await using server = await admin([metrics(0, [0, 0]), "", metrics(10, [0, 0])]);
    const watch = await ServerMetrics.open(server.url);
    expect(await watch.sample()).toBeUndefined();
    expect((await watch.sample())?.framesReceived).toBe(15);
  });

  it("refuses an address that is not this server's", async () => {
    await using other = await admin(["up 1\n"]);
    await expect(ServerMetrics.open(other.url)).rejects.toThrow(
      "is this the admin address of a drover server?",
    );
    await using broken = await admin([""]);
    await expect(ServerMetrics.open(broken.url)).rejects.toThrow("/metrics answers 503");
  });
});

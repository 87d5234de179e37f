/** The watchdog: workers with a blocked event loop are reported, killed, and never outlive their primary. */
import { afterAll, describe, expect, test } from "vitest";
import { http, metric, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isAlive } from "../../support/os-processes.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { within } from "../../support/promised-time.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** `hang` never returns, `busy 500` computes for 500 ms. */
const BUSY = `
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "busy",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const [word, ms = "1e9"] = String(frame).split(" ");
        if (word === "hang" || word === "busy") spinForever(Number(ms));
        conn.send(frame);
      },
    },
  },
});
function spinForever(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
`;

function busy(...args: string[]) {
  return serveProtocol("busy.ts", BUSY, args);
}

async function workerNode(adminPort: number, slot: number): Promise<any> {
  const tree = JSON.parse((await http(adminPort, "/tree")).body);
  return tree.children.find((node: any) => node.name === `worker ${slot}`);
}

test("a worker that computes for half a second is warned about and shown in the metrics, not killed", async () => {
  const { program, port, adminPort } = await busy("--workers=1");
  const client = await FrameClient.connect(port);
  const [worker] = program.workers();
  expect(await client.ask("busy 500")).toBe("busy 500");
  const line = await program.line((line) => String(line.msg).startsWith("Event loop blocked for"));
  expect(line).toMatchObject({ level: "warn", worker: 1 });
  expect(line.lagMs).toBeGreaterThanOrEqual(200);
  // The metric is of the last second: a slow machine may miss it once.
  await eventually(async () => {
    await client.ask("busy 500");
    const { body } = await http(adminPort, "/metrics");
    return (series(body, "drover_event_loop_lag_seconds", { worker: "1" }) ?? 0) >= 0.2;
  });
  expect(program.workers()).toEqual([worker]);
});

// These wait most of the time, so they run concurrently: 15 s instead of 35.
describe.concurrent("silent for long", () => {
  test("a worker in an endless loop is gone 15 s after a primary that is killed", async () => {
    const { program, port } = await busy("--workers=1");
    const [worker] = program.workers() as [number];
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    client.send("hang");
    program.signal("SIGKILL");
    await within(15_000, () => !isAlive(worker));
    await program.exited;
  });

  test("a worker in an endless loop is killed and replaced, its log says where it hung, and the others serve on", async () => {
    const { program, port, adminPort } = await busy();
    const clients = await Promise.all(Array.from({ length: 20 }, () => FrameClient.connect(port)));
    await Promise.all(clients.map((client) => client.ask("hello")));
    const [first] = clients as [FrameClient];
    const before = program.workers();
    await eventually(async () => {
      return (await metric(adminPort, "drover_connections_active")) === 20;
    });
    first.send("hang");
    const report = await program.line((line) => line.report === "supervisor");
    expect(report.errorContext).toBe("child_terminated");
    expect(report.reason).toMatch(/watchdog.*no message for 1\d{4} ms/);
    const stuck = await program.line((line) => String(line.msg).includes("and still blocked"));
    expect(stuck.stack).toMatch(/^ {4}at spinForever \([^ ]*busy\.ts:\d+:\d+\)\n {4}at frame/m);
    await program.line((line) => /Unresponsive worker \d+: .*killed after 10 s/.test(line.msg));
    await eventually(async () => (await workerNode(adminPort, Number(stuck.worker))).state === "running");
    const after = program.workers();
    expect(after.filter((worker) => before.includes(worker))).toHaveLength(1);
    const { body } = await http(adminPort, "/metrics");
    expect(series(body, "drover_connections_closed_total", { reason: "worker_died" })).toBeGreaterThan(0);
    const newcomer = await FrameClient.connect(port);
    expect(await newcomer.ask("hello")).toBe("hello");
  });

  test("a stopped worker is unresponsive, then killed and replaced; those that connect meanwhile are served", async () => {
    const { program, port, adminPort } = await busy("--workers=1");
    const [worker] = program.workers() as [number];
    process.kill(worker, "SIGSTOP");
    const waiting = await FrameClient.connect(port);
    const answer = waiting.ask("hello");
    await eventually(async () => (await workerNode(adminPort, 1)).state === "unresponsive");
    const { body } = await http(adminPort, "/metrics");
    expect(series(body, "drover_worker_up", { worker: "1" })).toBe(0);
    await program.line((line) => line.report === "supervisor" && String(line.reason).includes("watchdog"));
    // It was killed while stopped: SIGCONT finds no process.
    expect(() => process.kill(worker, "SIGCONT")).toThrow("ESRCH");
    expect(await answer).toBe("hello");
  });

  test("while the only worker hangs /ready is 503 and /health 200; once it is replaced both are 200", async () => {
    const { port, adminPort } = await busy("--workers=1");
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    client.send("hang");
    const ready = async () => {
      const { status, body } = await http(adminPort, "/ready");
      return [status, JSON.parse(body).status];
    };
    await eventually(async () => String(await ready()) === "503,no worker is responding");
    expect((await http(adminPort, "/health")).status).toBe(200);
    await eventually(async () => (await ready())[0] === 200);
    expect((await http(adminPort, "/health")).status).toBe(200);
  });

  test("a worker that goes on before its time is over is left alone", async () => {
    const { program, port, adminPort } = await busy("--workers=1", "--watchdog=30s");
    const workers = program.workers() as [number];
    process.kill(workers[0], "SIGSTOP");
    await program.line((line) => /Unresponsive worker/.test(line.msg));
    process.kill(workers[0], "SIGCONT");
    await eventually(async () => (await workerNode(adminPort, 1)).state === "running");
    const client = await FrameClient.connect(port);
    expect(await client.ask("hello")).toBe("hello");
    expect(program.workers()).toEqual(workers);
  });

  test("clients are served while the primary is stopped for long, and it kills no worker when it goes on", async () => {
    const { program, port, adminPort } = await busy("--watchdog=6s");
    const workers = program.workers();
    program.signal("SIGSTOP");
    // Longer than --watchdog: heartbeats of this time wait in the channel.
    const stopped = performance.now();
    await eventually(async () => {
      const client = await FrameClient.connect(port);
      expect(await client.ask("hello")).toBe("hello");
      client.end();
      return performance.now() - stopped > 8_000;
    });
    program.signal("SIGCONT");
    await eventually(async () => (await http(adminPort, "/ready")).status === 200);
    expect(program.workers()).toEqual(workers);
    expect(program.lines.filter((line) => line.report === "supervisor")).toEqual([]);
  });

  test("a whole tree that was stopped for long goes on as if nothing had been", async () => {
    const { program, port } = await busy("--watchdog=6s");
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    const workers = program.workers();
    const all = [program.osPid, ...workers];
    for (const osPid of all) process.kill(osPid, "SIGSTOP");
    const stopped = performance.now();
    await eventually(() => performance.now() - stopped > 8_000);
    for (const osPid of all.reverse()) process.kill(osPid, "SIGCONT");
    expect(await client.ask("still here")).toBe("still here");
    expect(program.workers()).toEqual(workers);
    expect(program.lines.filter((line) => line.report === "supervisor")).toEqual([]);
  });
});

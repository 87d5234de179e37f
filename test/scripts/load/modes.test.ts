// The modes of the load generator, each against a server of which it is known what must be found. Those of a mode run at
// the same time: most of them wait.
import { describe, expect, it } from "vitest";
import { assignKinds, DEFAULT_MIX } from "../../../scripts/load/both-sides/client-mix.js";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { echo, errorsOf, framed, listen, refusedPort } from "../servers.js";

describe.concurrent("mode rate", () => {
  it("sends exactly what is due, and measures each frame", async () => {
    await using server = await echo();
    const load = { mode: "rate", rate: 2_000, durationMs: 500, connections: 7 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally).toMatchObject({ sent: 1_000, echoed: 1_000 });
    expect(result.due).toBe(1_000);
    expect(result.latency.count).toBe(1_000);
    const shares = result.connections.map(({ sent }) => sent);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  });

  it("counts the latency of a frame from when it was due, so that a stall of the server cannot hide", async () => {
    const [stallMs, durationMs] = [500, 1_500];
    let stalled = false;
    await using server = await framed((socket, frame, index) => {
      if (index === 100 && !stalled) {
        stalled = true;
        for (const each of server.sockets) each.cork();
        setTimeout(() => {
          for (const each of server.sockets) each.uncork();
        }, stallMs);
      }
      socket.write(frame);
    });
    const load = { mode: "rate", rate: 1_000, durationMs, connections: 4 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(result.latency.count).toBe(1_500);
    // Of all frames, (stall - x) / duration waited for longer than x: 10 % for more than 350 ms.
    expect(result.latency.percentile(90)).toBeGreaterThan(300);
    expect(result.latency.maxMs).toBeGreaterThan(450);
  });

  it("goes on counting where the window is full: what could not be sent was due all the same", async () => {
    await using server = await framed((socket, frame) => void setTimeout(() => socket.write(frame), 100));
    const load = { mode: "rate", rate: 100, durationMs: 500, connections: 1, window: 1 } as const;
    // On a busy machine the last of 50 comes long after 5 s.
    const result = await runLoad({ port: server.port, ...load, replyTimeoutMs: 30_000 });
    expect(result.tally).toMatchObject({ sent: 50, echoed: 50 });
    // One at a time, each 100 ms: the last of 50 that were due within half a second waits for some 4.5 s.
    expect(result.latency.maxMs).toBeGreaterThan(4_000);
    expect(result.lateness.count).toBeLessThan(50);
  });

  it("says how much was due and never sent, where a connection has ended", async () => {
    await using server = await framed((socket, frame, index) => {
      // Frames that come after it as well: a write after the end would be a reset.
      if (socket === server.sockets[0] && index >= 3) socket.end();
      else socket.write(frame);
    });
    // One frame at a time: how many are on their way when the connection ends depends on the machine.
    const load = { mode: "rate", rate: 400, durationMs: 400, connections: 2, window: 1 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({ closedEarly: 1 });
    expect(result.due).toBe(160);
    expect(result.tally).toMatchObject({ sent: 84, echoed: 83 });
  });
});

describe.concurrent("mode connect", () => {
  it("counts a visit for each connection that was opened, echoed and closed", async () => {
    await using server = await echo();
    const result = await runLoad({ port: server.port, mode: "connect", connections: 5, frames: 203 });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally).toMatchObject({ visits: 203, opened: 203, open: 0, sent: 203, echoed: 203 });
    expect(result.measured).toBe(203);
    expect(result.latency.count).toBe(203);
    expect(server.sockets).toHaveLength(203);
  });

  it.each([true, false])("sends nothing where no echo was asked for, ended by a reset: %s", async (reset) => {
    let bytes = 0;
    await using server = await listen((socket) => {
      socket.on("data", (chunk) => {
        bytes += chunk.length;
      });
    });
    const result = await runLoad({
      port: server.port,
      mode: "connect",
      echo: false,
      reset,
      connections: 2,
      frames: 20,
    });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally).toMatchObject({ visits: 20, sent: 0 });
    expect(bytes).toBe(0);
  });

  it("does not ask a server that refuses without a pause", async () => {
    const result = await runLoad({
      port: await refusedPort(),
      mode: "connect",
      connections: 2,
      durationMs: 1_000,
    });
    expect(result.tally.errors.connectRefused).toBeGreaterThan(2);
    expect(result.tally.errors.connectRefused).toBeLessThan(150);
  });

  it("opens connections at a fixed rate if one is given", async () => {
    await using server = await echo();
    const load = { mode: "connect", connections: 50, rate: 200, frames: 40 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(result.tally.visits).toBe(40);
    // At 200 a second 40 take about 195 ms; as fast as possible they take a tenth of that.
    expect(result.elapsedMs).toBeGreaterThan(150);
  });
});

describe.concurrent("mode idle", () => {
  it("proves every connection by an echo at the end", async () => {
    await using server = await echo();
    const result = await runLoad({
      port: server.port,
      mode: "idle",
      connections: 300,
      rate: 20,
      durationMs: 300,
    });
    expect(errorsOf(result)).toEqual({});
    expect(result.proven).toBe(300);
    expect(result.tally.echoed).toBe(300);
    // The proofs come all at once: their latencies would say nothing about an idle server.
    expect(result.latency.count).toBeLessThan(20);
  });

  it("finds a connection that was closed meanwhile, and one that no longer answers", async () => {
    await using server = await listen((socket, index) => {
      if (index === 3) setTimeout(() => socket.end(), 50);
      if (index === 5) socket.resume();
      else socket.pipe(socket);
    });
    const load = { mode: "idle", connections: 10, rate: 1, durationMs: 300, replyTimeoutMs: 2_000 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({ closedEarly: 1, hung: 1 });
    expect(result.proven).toBe(8);
  });
});

describe.concurrent("mode mixed", () => {
  it("deals the kinds in their proportions, and evenly", () => {
    const kinds = assignKinds({ pingers: 3, bulk: 1 }, 100);
    expect(kinds.filter((kind) => kind === "bulk")).toHaveLength(25);
    for (let i = 0; i < 100; i += 4)
      expect(kinds.slice(i, i + 4).filter((kind) => kind === "bulk")).toHaveLength(1);
  });

  it("has every kind of client served, and measures the well-behaved", async () => {
    await using server = await echo();
    const load = { mode: "mixed", mix: DEFAULT_MIX, connections: 20, rate: 200, durationMs: 1_500 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({});
    const { kinds } = result.tally;
    expect(kinds.pingers).toEqual({ connections: 10, echoed: 300, errors: 0 });
    expect(result.latency.count).toBe(300);
    expect(kinds.idle).toEqual({ connections: 5, echoed: 0, errors: 0 });
    expect(Math.min(kinds.bulk.echoed, kinds.half.echoed, kinds.reconnecting.echoed)).toBeGreaterThan(0);
  });

  it("sends half frames as halves, and leaves some unfinished", async () => {
    const chunks: number[] = [];
    let unfinished = 0;
    await using server = await listen((socket) => {
      let bytes = 0;
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk.length);
        bytes += chunk.length;
        if (bytes % 66 === 0) socket.write(Buffer.concat([held, chunk]));
        held = Buffer.from(chunk);
      });
      socket.on("end", () => {
        if (bytes % 66 > 0) unfinished++;
        socket.end();
      });
      let held = Buffer.alloc(0);
    });
    const load = { mode: "mixed", mix: { half: 1 }, connections: 1, durationMs: 2_500 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(new Set(chunks)).toEqual(new Set([33]));
    expect(unfinished).toBeGreaterThan(0);
    expect(result.tally.echoed).toBe(result.tally.sent);
  });

  it("does not blame a server that cuts off slow readers", async () => {
    await using server = await listen((socket) => {
      socket.pipe(socket);
      setTimeout(() => socket.resetAndDestroy(), 100);
    });
    const load = { mode: "mixed", mix: { slow: 1 }, connections: 2, durationMs: 600 } as const;
    const result = await runLoad({ port: server.port, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally.cutOff).toBeGreaterThan(0);
  });
});

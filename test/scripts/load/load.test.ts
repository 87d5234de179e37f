// The load generator against a server that does everything right: its own counts must be exact.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Framing } from "../../../scripts/load/both-sides/framing.js";
import type { Progress } from "../../../scripts/load/both-sides/result.js";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { until } from "../../support/until.js";
import { echo, errorsOf, framed, listen } from "../servers.js";

describe("against a server that echoes", () => {
  it.each([
    { connections: 1, window: 1, size: 64 },
    { connections: 7, window: 3, size: 1 },
    { connections: 3, window: 16, size: 0 },
    { connections: 2, window: 5, size: 65_535 },
    { connections: 300, window: 2, size: 10 },
  ])("sends exactly the frames it was asked for and gets them all back: %o", async (load) => {
    await using server = await echo();
    const result = await runLoad({ port: server.port, frames: 1_000, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally).toMatchObject({ opened: load.connections, open: 0, sent: 1_000, echoed: 1_000 });
    expect(result.latency.count).toBe(1_000);
    const shares = result.connections.map(({ sent }) => sent);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  });

  it.each<[Framing, string]>([
    ["packet1", "05......................"],
    ["packet2", "0005............0005"],
    ["packet4", "00000005................00000005"],
    ["line", "..........0a..........0a"],
    ["raw", "...................."],
  ])("puts the frames of %s on the wire as that framing has them", async (framing, pattern) => {
    const seen: Buffer[] = [];
    await using server = await listen((socket) => {
      socket.on("data", (chunk: Buffer) => seen.push(chunk));
      socket.pipe(socket);
    });
    const result = await runLoad({
      port: server.port,
      connections: 1,
      frames: 100,
      size: 5,
      window: 4,
      framing,
    });
    expect(result.tally.echoed).toBe(100);
    const bytes = Buffer.concat(seen);
    expect(bytes.length).toBe(100 * (5 + { packet1: 1, packet2: 2, packet4: 4, line: 1, raw: 0 }[framing]));
    expect(bytes.toString("hex")).toMatch(new RegExp(`^${pattern.slice(0, 16)}`));
    if (framing === "line") expect(bytes.toString("latin1").split("\n")).toHaveLength(101);
  });

  it("never has more frames in flight than the window allows", async () => {
    let waiting = 0;
    let most = 0;
    await using server = await framed((socket, frame) => {
      most = Math.max(most, ++waiting);
      setTimeout(() => {
        waiting--;
        socket.write(frame);
      }, 1);
    });
    await runLoad({ port: server.port, connections: 1, window: 4, frames: 200 });
    expect(most).toBe(4);
  });

  it("stops after the duration with every frame answered, and measures the time that frames were sent", async () => {
    await using server = await echo();
    const result = await runLoad({ port: server.port, connections: 5, durationMs: 200 });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally.echoed).toBe(result.tally.sent);
    expect(result.measured).toBeGreaterThan(0);
    expect(result.elapsedMs).toBeGreaterThanOrEqual(199);
  });

  it("can be ended early by a signal without that being an error", async () => {
    await using server = await echo();
    const stop = new AbortController();
    const running = runLoad({ port: server.port, connections: 5, window: 8, signal: stop.signal });
    await until(() => server.sockets.some(({ bytesWritten }) => bytesWritten > 0));
    stop.abort();
    const result = await running;
    expect(errorsOf(result)).toEqual({});
    expect(result.tally.echoed).toBe(result.tally.sent);
    expect(result.tally.echoed).toBeGreaterThan(0);
  });

  it("sends nothing before onOpened has been fulfilled", async () => {
    let bytes = 0;
    await using server = await listen((socket) => {
      socket.on("data", (chunk) => {
        bytes += chunk.length;
      });
      socket.pipe(socket);
    });
    let bytesBefore = -1;
    const onOpened = async (opened: number) => {
      expect(opened).toBe(4);
      await sleep(20);
      bytesBefore = bytes;
    };
    await runLoad({ port: server.port, connections: 4, frames: 40, onOpened });
    expect(bytesBefore).toBe(0);
    expect(bytes).toBe(40 * 66);
  });

  it("tells its progress once a second", async () => {
    await using server = await echo();
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => seen.push(progress);
    const result = await runLoad({ port: server.port, connections: 3, durationMs: 1_300, onProgress });
    expect(seen.length).toBeGreaterThanOrEqual(1);
    expect(seen.length).toBeLessThanOrEqual(result.elapsedMs / 1_000);
    expect(seen[0]!.completed).toBe(seen[0]!.tally.echoed);
    expect(seen[0]!.latency.count).toBe(seen[0]!.completed);
    expect(seen[0]!.tally.open).toBe(3);
    expect(result.latency.count).toBe(result.tally.echoed);
  });
});

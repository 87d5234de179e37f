// The load generator against servers with one fault each: it must be found, and counted as what it is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { LoadOptions } from "../../../scripts/load/both-sides/options.js";
import { errorTotal } from "../../../scripts/load/both-sides/result.js";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { errorsOf, framed, listen, refusedPort } from "../servers.js";

describe("against a server with a fault", () => {
  const one = (port: number, more: Partial<LoadOptions> = {}) =>
    runLoad({ port, connections: 1, frames: 20, replyTimeoutMs: 1_000, ...more });

  it("finds one wrong byte, and says where", async () => {
    await using server = await framed((socket, frame, index) => {
      if (index === 7) frame[12]! ^= 1;
      socket.write(frame);
    });
    const result = await one(server.port, { size: 64 });
    expect(errorsOf(result)).toEqual({ mismatch: 1 });
    expect(result.tally).toMatchObject({ sent: 8, echoed: 7, wrongBytes: 1 });
    expect(result.tally.samples[0]!.what).toMatch(/^byte 12 of 66 of frame 7 is 0x/);
  });

  it.each([1, 2, 64, 1_000])("finds a lost, a repeated and a swapped frame of %i bytes", async (size) => {
    await using losing = await framed((socket, frame, index) => void (index === 3 || socket.write(frame)));
    await using repeating = await framed((socket, frame, index) => {
      socket.write(index === 3 ? Buffer.concat([frame, frame]) : frame);
    });
    let held: Buffer | undefined;
    await using swapping = await framed((socket, frame, index) => {
      if (index === 2) held = Buffer.from(frame);
      else socket.write(index === 3 ? Buffer.concat([frame, held!]) : frame);
    });
    for (const { port } of [losing, repeating, swapping]) {
      const result = await one(port, { size, window: 4 });
      expect(errorsOf(result)).toEqual({ mismatch: 1 });
      expect(result.tally.echoed).toBeLessThan(5);
    }
  });

  it.each([1, 64])("finds frames of %i bytes that were echoed to the wrong connection", async (size) => {
    await using server = await listen((socket, index) => {
      socket.on("data", (chunk) => server.sockets[index ^ 1]!.write(chunk));
    });
    const result = await runLoad({
      port: server.port,
      connections: 2,
      frames: 2,
      size,
      replyTimeoutMs: 5_000,
    });
    expect(errorsOf(result)).toEqual({ mismatch: 2 });
  });

  it("finds bytes that no frame asked for, before the first frame and after the last", async () => {
    await using greeting = await listen((socket) => void socket.write("welcome"));
    await using chatting = await framed((socket, frame, index) => {
      socket.write(index === 19 ? Buffer.concat([frame, Buffer.from("goodbye")]) : frame);
    });
    const early = await one(greeting.port);
    expect(errorsOf(early)).toEqual({ mismatch: 1 });
    expect(early.tally.wrongBytes).toBe(7);
    const late = await one(chatting.port);
    expect(errorsOf(late)).toEqual({ mismatch: 1 });
    expect(late.tally).toMatchObject({ sent: 20, echoed: 20, wrongBytes: 7 });
  });

  it("counts a server that closes between frames as closed early", async () => {
    await using server = await framed(
      (socket, frame, index) => void (index < 5 ? socket.write(frame) : socket.end()),
    );
    const result = await one(server.port);
    expect(errorsOf(result)).toEqual({ closedEarly: 1 });
    expect(result.tally).toMatchObject({ sent: 6, echoed: 5 });
  });

  it("counts an end inside a frame as a short reply", async () => {
    await using server = await framed((socket, frame, index) => {
      if (index < 5) socket.write(frame);
      else socket.end(frame.subarray(0, 10));
    });
    const result = await one(server.port);
    expect(errorsOf(result)).toEqual({ shortReply: 1 });
    expect(result.tally).toMatchObject({ sent: 6, echoed: 5, wrongBytes: 0 });
  });

  it("counts resets, and tells which connections they hit", async () => {
    const hit = new Set<number>();
    await using server = await framed((socket, frame, index) => {
      if (index < 3 || server.sockets.indexOf(socket) % 4 > 0) return void socket.write(frame);
      hit.add(socket.remotePort!);
      socket.resetAndDestroy();
    });
    const ended: number[] = [];
    const result = await runLoad({
      port: server.port,
      connections: 10,
      frames: 100,
      onConnectionEnd: (outcome) => void (outcome.error === "reset" && ended.push(outcome.localPort!)),
    });
    expect(errorsOf(result)).toEqual({ reset: 3 });
    expect(result.tally).toMatchObject({ opened: 10, sent: 7 * 10 + 3 * 4, echoed: 7 * 10 + 3 * 3 });
    expect(new Set(ended)).toEqual(hit);
    expect(result.connections.filter(({ error }) => error === "reset")).toHaveLength(3);
  });

  it("counts a server that never answers as hung, on the connections concerned alone", async () => {
    await using server = await listen(
      (socket, index) => void (index === 0 ? socket.resume() : socket.pipe(socket)),
    );
    const result = await runLoad({ port: server.port, connections: 3, frames: 30, replyTimeoutMs: 1_000 });
    expect(errorsOf(result)).toEqual({ hung: 1 });
    expect(result.tally).toMatchObject({ sent: 21, echoed: 20 });
  });

  it("does not call a slow server hung as long as something comes back in time", async () => {
    await using server = await framed((socket, frame) => {
      for (let i = 0; i < 6; i++)
        setTimeout(() => socket.write(frame.subarray(i * 11, i * 11 + 11)), i * 250);
    });
    const result = await runLoad({
      port: server.port,
      connections: 1,
      frames: 1,
      size: 64,
      replyTimeoutMs: 1_000,
    });
    expect(errorsOf(result)).toEqual({});
    expect(result.latency.maxMs).toBeGreaterThan(1_200);
  });

  it("counts refused connects", async () => {
    const result = await runLoad({ port: await refusedPort(), connections: 5, durationMs: 200 });
    expect(errorsOf(result)).toEqual({ connectRefused: 5 });
    expect(result.tally).toMatchObject({ opened: 0, sent: 0 });
    expect(result.tally.samples).toHaveLength(1);
  });

  it("counts a host that does not exist as a failed connect", async () => {
    const result = await runLoad({ host: "no-such-host.invalid", port: 1, connections: 1, durationMs: 200 });
    expect(errorsOf(result)).toEqual({ connectFailed: 1 });
  });

  it("counts a connect that stays without an answer as timed out", async () => {
    // A process that never turns its loop never accepts: its kernel queue takes two connections and no more.
    const deaf = `require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () {
      require("node:fs").writeSync(1, String(this.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    })`;
    const child = spawn(process.execPath, ["-e", deaf], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [port] = await once(child.stdout, "data");
      const limits = { connectTimeoutMs: 300, replyTimeoutMs: 100 };
      const result = await runLoad({ port: Number(port), connections: 8, frames: 8, ...limits });
      const { connectTimedOut, hung } = result.tally.errors;
      expect(connectTimedOut).toBeGreaterThan(0);
      expect(hung).toBe(result.tally.opened);
      expect(errorTotal(result.tally)).toBe(8);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

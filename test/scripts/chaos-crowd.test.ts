/** The clients of chaos find what their server does wrong. */
import type { Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { Crowd } from "../../scripts/check/chaos/crowd.js";
import { until } from "../support/until.js";
import { echo, listen, refusedPort } from "./servers.js";

/** @param patienceMs of a client for a reply: where one comes, a busy machine may be late with it */
function crowdAt(port: number, patienceMs = 20_000): Crowd {
  const crowd = new Crowd([{ targets: [{ host: "127.0.0.1", port }] }], { patienceMs });
  onTestFinished(() => crowd.stop());
  return crowd;
}

async function violationsAt(onSocket: (socket: Socket) => void, patienceMs?: number): Promise<string[]> {
  await using server = await listen(onSocket);
  const crowd = crowdAt(server.port, patienceMs);
  crowd.start(4);
  return await until(() => crowd.violations.length > 0 && crowd.violations);
}

it("nothing, where every byte is echoed", async () => {
  await using server = await echo();
  const crowd = crowdAt(server.port);
  expect(await crowd.probe()).toBe(true);
  crowd.start(10);
  await until(() => crowd.tally.echoed > 200 && crowd.tally.visits > 10);
  await crowd.stop();
  expect(crowd.violations).toEqual([]);
  expect(crowd.lost).toBe(0);
});

it("one wrong byte", async () => {
  let bytes = 0;
  const found = await violationsAt((socket) =>
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes > 2_000) chunk[chunk.length - 1]! ^= 1;
      socket.write(chunk);
    }),
  );
  expect(found[0]).toMatch(/^\d+ × mismatch$/);
});

it("two frames in the wrong order", async () => {
  const found = await violationsAt((socket) => {
    let got = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      // Two frames of 16 bytes with headers of 4.
      if (got.length < 40) return;
      socket.write(Buffer.concat([got.subarray(20, 40), got.subarray(0, 20), got.subarray(40)]));
      got = Buffer.alloc(0);
    });
  });
  expect(found[0]).toMatch(/^\d+ × mismatch$/);
});

it("no reply in time", async () => {
  expect((await violationsAt((socket) => void socket.resume(), 1_000))[0]).toMatch(/^\d+ × hung$/);
});

it("a refused connect, unless no program listens on purpose", async () => {
  const crowd = crowdAt(await refusedPort());
  crowd.refusalsExcused = true;
  crowd.start(2);
  await until(() => crowd.tally.errors.connectRefused > 4);
  expect(crowd.violations).toEqual([]);
  crowd.refusalsExcused = false;
  expect(crowd.violations).toEqual([]);
  const before = crowd.tally.errors.connectRefused;
  await until(() => crowd.tally.errors.connectRefused > before);
  expect(crowd.violations[0]).toMatch(/^\d+ × connectRefused$/);
});

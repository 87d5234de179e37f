/** Protocols that come with drover, under `drover/testing`: their types fit, and a framing with two sides. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resp } from "../../src/index.js";
import chat from "../../src/protocols/chat.js";
import store from "../../src/protocols/resp.js";
import tracker from "../../src/protocols/tracker.js";
import { ManualClock, serve } from "../../src/testing.js";

test("a protocol that forwards messages of groups", async () => {
  const server = await serve(chat);
  const client = await server.connect();
  expect(await client.next()).toBe("* what is your name?");
  client.send("ada");
  expect(await client.next()).toBe("* you are in lobby");
  await server.stop();
});

test("the client of a framing with two sides speaks the other side", async () => {
  // Of the OS process of all these tests.
  const server = await serve(store, { options: { maxMemory: 1024 ** 2 } });
  const client = (await server.connect()).setFraming(resp({ side: "client" }));
  client.send(["SET", "a", 1], ["INCR", "a"], ["DEL", "a"]);
  expect([await client.next(), await client.next(), await client.next()]).toEqual(["OK", 2, 1]);
  await server.stop();
});

test("under a manual clock a stop waits for what worker.stop does with a file", async () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-testing-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const clock = new ManualClock();
  const server = await serve(tracker, { clock, options: { journal: join(dir, "positions.jsonl") } });
  const client = await server.connect();
  await clock.advance(10_000);
  expect(await client.closed).toBe("no_login");
  await server.stop();
});

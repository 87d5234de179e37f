/** Protocols that come with drover, under `drover/testing`: their types fit, and a framing with two sides. */
import { expect, test } from "vitest";
import { resp } from "../../src/index.js";
import chat from "../../src/protocols/chat.js";
import store from "../../src/protocols/resp.js";
import { serve } from "../../src/testing.js";

test("a protocol that forwards messages of groups", async () => {
  const server = await serve(chat);
  const client = await server.connect();
  expect(await client.next()).toBe("* what is your name?");
  client.send("ada");
  expect(await client.next()).toBe("* you are in lobby");
  await server.stop();
});

test("the client of a framing with two sides speaks the other side", async () => {
  const server = await serve(store);
  const client = (await server.connect()).setFraming(resp({ side: "client" }));
  client.send(["SET", "a", 1], ["INCR", "a"], ["DEL", "a"]);
  expect([await client.next(), await client.next(), await client.next()]).toEqual(["OK", 2, 1]);
  await server.stop();
});

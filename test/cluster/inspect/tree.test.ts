/** Process tree of a worker. */
import { expect, test } from "vitest";
import { drawTree } from "../../../src/cluster/inspect/tree.js";
import { defineProtocol, next, packet } from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { connected, testServer } from "../../support/serving.js";

const lingering = defineProtocol({
  name: "lingering",
  framing: packet(2),
  states: {
    ready: { shutdown: () => next("leaving") },
    leaving: { enter: (conn) => conn.send("bye") },
  },
});

test("a tree that is shutting down is drawn as far as it answers", async () => {
  const server = await testServer(lingering);
  const client = await connected(server);
  const root = processOf(server.root)!;
  const stopped = server.stop();
  expect(await client.receive(1)).toEqual(["bye"]);
  expect(await drawTree(root, 10)).toMatchObject({ name: "tcp_server", children: [] });
  await stopped;
});

import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { freePort, reserve } from "./ports.js";

async function listening(port: number): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return server;
}

test("no port is handed out twice, however many are asked for at once", async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, freePort));
  expect(new Set(ports).size).toBe(300);
});

test("a port that was handed out cannot be reserved again, not even by another OS process", async () => {
  expect(await reserve(await freePort())).toBe(false);
});

test("a port that was handed out can be listened on", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  await Promise.all(ports.map(listening));
});

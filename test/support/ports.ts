/** Free TCP ports for programs that have to be told one. Test files that run at the same time never get the same. */

import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/**
 * Below the ephemeral ports of the kernel (from 32,768 on Linux, from 49,152 on macOS): under load one of these is
 * taken again before the program that was told of it has started. Above 10,080, the last port that browsers refuse.
 */
const LEAST = 11_000;
const BEYOND = 32_768;

/** A TCP port that is free on every address; it stays reserved until this OS process ends. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LEAST, BEYOND);
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
}

/**
 * Reserves a TCP port against other test files by binding the UDP port of the same number, which no program of ours
 * uses: the kernel gives it to one OS process only, and frees it when that ends.
 */
export function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4").once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => {
      socket.unref();
      resolve(true);
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

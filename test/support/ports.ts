/** Ports for programs that have to be told one: free, and not given to anybody else meanwhile. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below those that the kernel gives to clients, and to whoever asks for any (from 32,768 on Linux, from 49,152 on
 * macOS): under load one of these is taken again before the program that was told of it has started. Above the
 * last one that browsers refuse to open, 10,080.
 */
const LEAST = 11_000;
const BEYOND = 32_768;

/** Handed out by this OS process; others begin elsewhere by chance. */
const given = new Set<number>();

/** A port that is free on every address, and that nobody else in this OS process has been or will be given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LEAST, BEYOND);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/**
 * Waiting for a server to be gone. A connection to the control socket is held and ends when the other side
 * ends it: no question has to be asked ten times a second, and the end is noticed at once. The server also
 * closes connections that idle; then the next one is made, until nobody takes it any more.
 */
import { connect } from "node:net";
import { scheduler } from "node:timers/promises";
import { NOBODY, type Target } from "../client/client.js";

/** Between two connections: a server with no room for another one drops it at once. */
const PAUSE = 50;

/** @returns whether it was gone before `signal` said to wait no longer */
export async function waitUntilGone({ control }: Target, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await held(control, signal)) return true;
    await scheduler.wait(PAUSE);
  }
  return false;
}

/** Resolves when the connection has ended: with `true` when there was nobody to take it. */
function held(path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let nobody = false;
    const socket = connect({ path, signal });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      nobody = NOBODY.includes(code);
    });
    socket.on("close", () => resolve(nobody));
    // Only a connection that has been answered counts as idle, and idle ones are what a server closes first.
    socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    socket.resume();
  });
}

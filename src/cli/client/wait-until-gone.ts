/**
 * Waits until a server has ended. A connection to the control socket is held open, and the server's end closes
 * it: no polling, and the end is noticed at once. The server also closes idle connections; then the next one is
 * opened, until none is accepted.
 */
import { connect } from "node:net";
import { scheduler } from "node:timers/promises";
import { NOT_LISTENING } from "../../control/http-client.js";
import type { Target } from "./client.js";

/** Milliseconds between two connections: a server at its connection limit drops them at once. */
const PAUSE = 50;

/** @returns whether the server was gone before `signal` was aborted */
export async function waitUntilGone({ control }: Target, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await holdConnection(control, signal)) return true;
    await scheduler.wait(PAUSE);
  }
  return false;
}

/** Resolves when the connection has ended: `true` when no server accepted it. */
function holdConnection(path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let gone = false;
    const socket = connect({ path, signal });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      gone = NOT_LISTENING.includes(code);
    });
    socket.on("close", () => resolve(gone));
    // A server that stops closes idle connections first, and only one that has had an answer counts as idle.
    socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    socket.resume();
  });
}

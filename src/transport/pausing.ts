/**
 * Pauses accepting on a listening handle, without closing it: libuv stops to watch the descriptor when reading is stopped,
 * as on any stream. It allows that on handles that were opened from a descriptor, such as those that come over IPC.
 *
 * Tried on Node 20, 22, 24 and 26, TCP and UNIX sockets: with 20 clients in the backlog, a pause within the callback of
 * the fifth connection leaves fifteen for the next process. Before libuv 1.45 the others would be accepted first.
 */
import type { StreamHandle } from "./handle/node-bindings.js";
import type { Pausing } from "./transport.js";

/** Since this version libuv accepts one connection per callback of the event loop. */
const [MAJOR, MINOR] = [1, 45];

/** @returns `undefined` where libuv does not allow it; then accepting goes on unchanged */
export function pausingOf(listening: StreamHandle): Pausing | undefined {
  const [major = 0, minor = 0] = process.versions.uv.split(".").map(Number);
  if (major !== MAJOR || minor < MINOR) return undefined;
  // The handle accepts already: this only tells whether it can be paused.
  if (listening.readStart() !== 0) return undefined;
  return {
    pause: () => void listening.readStop(),
    resume: () => void listening.readStart(),
  };
}

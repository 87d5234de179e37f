// Active timers of each worker, asked of the protocol: a metric of every server would cost all of them a walk.
import { FrameSocket } from "../chaos/frame-socket.js";
import { PROTOCOL } from "../chaos/protocol.js";

const QUESTION = "timers";

/**
 * The protocol of chaos, which also counts the timers of its worker and answers a frame with this text. Timers of
 * drover are in the background, and process.getActiveResourcesInfo() leaves those out.
 */
export const COUNTED = `${PROTOCOL}
orders.${QUESTION} = (conn) => conn.send(counted());
const timers = new Set();
let prunedAt = 1_000;
for (const name of ["setTimeout", "setInterval"]) {
  const real = globalThis[name];
  const counting = (...args) => {
    const timer = real(...args);
    if (timers.add(timer).size > prunedAt) prunedAt = 2 * prune() + 1_000;
    return timer;
  };
  globalThis[name] = Object.defineProperties(counting, Object.getOwnPropertyDescriptors(real));
}
function prune() {
  for (const timer of timers) if (timer._destroyed) timers.delete(timer);
  return timers.size;
}
function counted() {
  return JSON.stringify({ osPid: process.pid, timers: prune() });
}
`;

/** Connections land on a worker of the kernel's choice. */
const ATTEMPTS = 40;

/** @returns active timers by the worker's OS pid; a worker that took none of the connections is missing */
export async function activeTimers(port: number, workers: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (let n = 0; n < ATTEMPTS && found.size < workers; n++) {
    const { osPid, timers } = await ask(port);
    found.set(osPid, timers);
  }
  return found;
}

async function ask(port: number): Promise<{ osPid: number; timers: number }> {
  const socket = new FrameSocket(port);
  try {
    socket.send(QUESTION);
    return JSON.parse(await socket.next(5_000));
  } finally {
    socket.destroy();
  }
}

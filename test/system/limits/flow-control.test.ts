/** Flow control: a client that sends and does not read costs bounded memory and delays no other client. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { metric } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterEach(endAll);

/**
 * Memory bound of one connection, in KiB: a chunk in the decoder, one held back and one in the socket's own
 * buffer (64 each), a frame that is not whole (64), the output over its high-water mark (64) with the turn
 * that went over it (64) and the memory that its write in flight pins (64).
 */
const PER_CONNECTION_KIB = 7 * 64;
/** Uncollected garbage, in KiB. */
const SLACK_KIB = 48 * 1024;
const CLIENTS = 8;

function peakKib(osPid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${osPid}/status`, "utf8"))?.[1]);
}

test("clients that send thousands of frames and never read cannot make a worker grow, and another's echo goes on", async () => {
  const { program, port, adminPort } = await serveProgram(["--workers=1"]);
  const [worker] = program.workers() as [number];
  const honest = await FrameClient.connect(port);
  for (let n = 0; n < 200; n++) await honest.ask(`warm ${n}`);
  const quiet = peakKib(worker);

  const frame = Buffer.concat([Buffer.from([0x40, 0x00]), Buffer.alloc(0x4000, "x")]);
  const deaf = Array.from({ length: CLIENTS }, () =>
    connect({ port, host: "127.0.0.1" }).on("error", () => {}),
  );
  const sent = await Promise.all(deaf.map((socket) => sendUntilBlocked(socket, frame)));
  for (let n = 0; n < 200; n++) expect(await honest.ask(`busy ${n}`)).toBe(`busy ${n}`);
  await eventually(async () => ((await metric(adminPort, "drover_reads_paused_total")) ?? 0) >= CLIENTS);
  // Far more was sent than the worker may hold.
  expect(sent.every((frames) => frames >= 2000)).toBe(true);
  expect(peakKib(worker) - quiet).toBeLessThan(CLIENTS * PER_CONNECTION_KIB + SLACK_KIB);
  for (const socket of deaf) socket.destroy();
  honest.end();
});

/** Offers thousands of frames, and waits until TCP takes no more of them. */
async function sendUntilBlocked(socket: Socket, frame: Buffer): Promise<number> {
  socket.pause();
  const frames = 2000;
  for (let n = 0; n < frames; n++) socket.write(frame);
  let before = -1;
  // Blocked: no more bytes were sent in five checks.
  for (let still = 0; still < 5; ) {
    await eventually(() => true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    still = socket.bytesWritten - socket.writableLength === before ? still + 1 : 0;
    before = socket.bytesWritten - socket.writableLength;
  }
  return frames;
}

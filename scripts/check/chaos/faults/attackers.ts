// Clients that misbehave on purpose: half frames, garbage, no reading, storms of connects. The server must answer or
// end each of them.
import { connect, type Socket } from "node:net";
import type { Random } from "../../fuzz/random.js";
import { MAX_FRAME } from "../protocol.js";
import { pause } from "../server.js";

const HTTP = Buffer.from("GET / HTTP/1.1\r\nHost: chaos\r\n\r\n");
const PROXY = Buffer.from("PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n");
/** A ClientHello whose length is not true. */
const TLS = Buffer.from("16030100ff010000fb0303deadbeef", "hex");
const TOO_LONG = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** Connects, and sends what is given; resolves when the socket is connected or has failed. */
function attack(port: number, bytes: Buffer): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: false }, () => {
      socket.write(bytes);
      resolve(socket);
    });
    socket.on("error", () => resolve(socket));
    socket.resume();
  });
}

/** @returns how many the server has not ended in time */
async function notEnded(sockets: readonly Socket[], within: number): Promise<number> {
  const end = performance.now() + within;
  while (sockets.some((socket) => !socket.destroyed) && performance.now() < end) await pause(20);
  const left = sockets.filter((socket) => !socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  return left;
}

const all = (count: number, one: () => Promise<Socket>) => Promise.all(Array.from({ length: count }, one));

/** Half of a frame, then silence: ended by the time for a frame. */
export async function halfFrames(port: number, count: number, within: number): Promise<number> {
  const half = Buffer.alloc(4 + MAX_FRAME / 2);
  half.writeUInt32BE(MAX_FRAME);
  return notEnded(await all(count, () => attack(port, half)), within);
}

/** Bytes of other protocols and lies: the first header ends the connection. */
export async function hostileFrames(ports: number[], random: Random, within: number): Promise<number> {
  const noise = Buffer.from(Array.from({ length: 600 }, () => 0x80 | random.below(256)));
  const inputs = [HTTP, TOO_LONG, noise, TLS, PROXY];
  const sockets = await all(30, () => attack(random.pick(ports), random.pick(inputs)));
  return notEnded(sockets, within);
}

/**
 * Sends frames and reads nothing: ended by the time without progress of the output. What is not yet written keeps the
 * sockets watching for the reset, although they do not read.
 */
export async function deafClients(port: number, count: number, within: number): Promise<number> {
  const frame = Buffer.alloc(4 + MAX_FRAME);
  frame.writeUInt32BE(MAX_FRAME);
  const many = Buffer.concat(Array.from({ length: 400 }, () => frame));
  const sockets = await all(count, () => attack(port, many));
  for (const socket of sockets) socket.pause();
  return notEnded(sockets, within);
}

/** So many connects at once, one echo each. @returns how many were not answered */
export async function storm(port: number, count: number, within: number): Promise<number> {
  const ping = Buffer.from([0, 0, 0, 1, 42]);
  let answered = 0;
  const sockets = await all(count, async () => {
    const socket = await attack(port, ping);
    socket.once("data", () => {
      answered++;
      socket.resetAndDestroy();
    });
    return socket;
  });
  await notEnded(sockets, within);
  return count - answered;
}

/** Sends one frame with this text and leaves. */
export async function say(port: number, text: string): Promise<void> {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(text.length);
  const socket = await attack(port, Buffer.concat([header, Buffer.from(text)]));
  await pause(100);
  socket.destroy();
}

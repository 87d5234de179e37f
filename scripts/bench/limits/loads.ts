// Loads whose CPU per operation is measured: echoes on open connections, and connections with one echo each.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const frameOf = (bytes: number): Buffer => {
  const frame = Buffer.alloc(4 + bytes);
  frame.writeUInt32BE(bytes);
  return frame;
};

/** @returns CPU microseconds per echoed message: 64 bytes, 16 in flight on 20 connections */
export async function echoCost(port: number, cpuUs: () => number, ms: number): Promise<number> {
  const batch = Buffer.concat(Array.from({ length: 16 }, () => frameOf(64)));
  const sockets: Socket[] = [];
  let messages = 0;
  for (let n = 0; n < 20; n++) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    let received = 0;
    socket.on("data", (bytes) => {
      for (received += bytes.length; received >= batch.length; received -= batch.length) {
        messages += 16;
        socket.write(batch);
      }
    });
    socket.on("error", () => {});
    socket.write(batch);
    sockets.push(socket);
  }
  await pause(ms / 5);
  const [before, cpu] = [messages, cpuUs()];
  await pause(ms);
  const cost = (cpuUs() - cpu) / (messages - before);
  for (const socket of sockets) socket.resetAndDestroy();
  await pause(20);
  return cost;
}

/** @returns CPU microseconds per connection: connect, one echo of 64 bytes, close; 10 at once */
export async function connectCost(port: number, cpuUs: () => number, ms: number): Promise<number> {
  const frame = frameOf(64);
  let [connections, going] = [0, true];
  const visit = () =>
    new Promise<void>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      let received = 0;
      socket.on("connect", () => socket.write(frame));
      socket.on("data", (bytes) => {
        received += bytes.length;
        if (received < frame.length) return;
        connections++;
        socket.resetAndDestroy();
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
  const loops = Array.from({ length: 10 }, async () => {
    while (going) await visit();
  });
  await pause(ms / 5);
  const [before, cpu] = [connections, cpuUs()];
  await pause(ms);
  const cost = (cpuUs() - cpu) / (connections - before);
  going = false;
  await Promise.all(loops);
  return cost;
}

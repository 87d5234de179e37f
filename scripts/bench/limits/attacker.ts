// The attacker, 127.0.0.2, in an OS process of its own that runs only where a core is idle: what it takes of the CPU is
// not what a limit can bound, because attackers have machines of their own.
import { execFileSync } from "node:child_process";
import { connect, type Socket } from "node:net";
import { frameOf } from "./loads.js";

/** Ways to attack. */
export const ATTACKS = ["connects", "frames", "half frames", "slow reader", "idle"] as const;
export type Attack = (typeof ATTACKS)[number];

const FROM = "127.0.0.2";

export function attack(kind: Attack, port: number): void {
  execFileSync("chrt", ["--idle", "--pid", "0", `${process.pid}`]);
  const how: Record<Attack, () => void> = {
    connects: () => many(64, () => again(port, (socket) => socket.resetAndDestroy())),
    frames: () => many(16, () => again(port, flood)),
    "half frames": () =>
      many(64, () => again(port, (socket) => socket.write(frameOf(1024 * 1024).subarray(0, 900_000)))),
    "slow reader": () => many(16, () => again(port, deaf)),
    idle: () => many(400, () => again(port, () => {})),
  };
  how[kind]();
}

function many(count: number, one: () => void): void {
  for (let n = 0; n < count; n++) one();
}

/** Connects, and again as soon as the connection has ended. */
function again(port: number, opened: (socket: Socket) => void): void {
  const socket = connect({ port, host: "127.0.0.1", localAddress: FROM, noDelay: true });
  socket.on("connect", () => opened(socket));
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(again, 1, port, opened));
}

/** Sends as fast as it can, and reads. */
function flood(socket: Socket): void {
  const batch = Buffer.concat(Array.from({ length: 200 }, () => frameOf(64)));
  const send = () => {
    while (socket.writable && socket.write(batch));
  };
  socket.on("drain", send).resume();
  send();
}

/** Sends, and never reads the answers. */
function deaf(socket: Socket): void {
  socket.pause();
  const batch = frameOf(60_000);
  const send = () => {
    while (socket.writable && socket.write(batch));
  };
  socket.on("drain", send);
  send();
}

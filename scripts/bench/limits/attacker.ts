// The attacker, 127.0.0.2, in an OS process of its own: so many attempts a second as it is told, or as it can.
import { connect, type Socket } from "node:net";
import { frameOf } from "./loads.js";

export type Attack = "connects" | "frames" | "half frames" | "slow reader" | "idle";

/** Strength of each attack: many times what its limit allows, and what one machine has. */
export const STRENGTHS: Readonly<Record<Attack, { readonly perSecond: number; readonly unit: string }>> = {
  connects: { perSecond: 1_000, unit: "connects" },
  frames: { perSecond: 50_000, unit: "frames" },
  "half frames": { perSecond: 50, unit: "MB" },
  "slow reader": { perSecond: 50, unit: "MB" },
  idle: { perSecond: 1_000, unit: "connects" },
};

const FROM = "127.0.0.2";
const BATCH = 200;

/** What it has done so far, for its parent: attempts, in the unit of its strength. */
export interface Done {
  readonly done: number;
}

/** @param perSecond `Infinity`: as fast as it can */
export function attack(kind: Attack, port: number, perSecond: number): void {
  const pace = new Pace(perSecond);
  const target = { port, pace };
  const how: Record<Attack, () => void> = {
    connects: () => many(64, () => again(target, 1, (socket) => socket.resetAndDestroy())),
    frames: () => many(16, () => again(target, 0, (socket) => flood(socket, pace))),
    "half frames": () => many(64, () => again(target, 0, (socket) => half(socket, pace))),
    "slow reader": () => many(16, () => again(target, 0, (socket) => deaf(socket, pace))),
    idle: () => many(400, () => again(target, 1, () => {})),
  };
  how[kind]();
  setInterval(() => process.send?.({ done: pace.done } satisfies Done), 50);
}

interface Target {
  readonly port: number;
  readonly pace: Pace;
}

/** Spreads attempts over time. */
class Pace {
  done = 0;
  readonly #perSecond: number;
  #at = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Calls back when the next `count` attempts are due. What was missed is not made up for. */
  take(count: number, due: () => void): void {
    const now = performance.now();
    this.#at = Math.max(now - 20, this.#at) + (count / this.#perSecond) * 1_000;
    const attempt = () => {
      this.done += count;
      due();
    };
    if (this.#at <= now) attempt();
    else setTimeout(attempt, this.#at - now);
  }
}

function many(count: number, one: () => void): void {
  for (let n = 0; n < count; n++) one();
}

/** Connects, and again as soon as the connection has ended. @param cost attempts that a connection counts as */
function again(target: Target, cost: number, opened: (socket: Socket) => void): void {
  const { port, pace } = target;
  const open = () => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: FROM, noDelay: true });
    socket.on("connect", () => opened(socket));
    socket.on("error", () => {});
    socket.on("close", () => setTimeout(again, 1, target, cost, opened));
  };
  if (cost === 0) open();
  else pace.take(cost, open);
}

/** Sends whole frames, and reads. */
function flood(socket: Socket, pace: Pace): void {
  const batch = Buffer.concat(Array.from({ length: BATCH }, () => frameOf(64)));
  socket.resume();
  repeat(socket, () => pace.take(BATCH, () => send(socket, batch)));
}

/** Sends a frame of 1 MiB but its end. */
function half(socket: Socket, pace: Pace): void {
  const frame = frameOf(1024 * 1024).subarray(0, 900_000);
  pace.take(frame.length / 1_000_000, () => send(socket, frame));
}

/** Sends, and never reads the answers. */
function deaf(socket: Socket, pace: Pace): void {
  socket.pause();
  const batch = frameOf(60_000);
  repeat(socket, () => pace.take(batch.length / 1_000_000, () => send(socket, batch)));
}

function send(socket: Socket, bytes: Buffer): void {
  if (socket.writable) socket.write(bytes, () => socket.emit("sent"));
}

/** Does it again each time that its bytes were taken. */
function repeat(socket: Socket, one: () => void): void {
  socket.on("sent", one);
  one();
}

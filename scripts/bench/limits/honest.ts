// The honest client, 127.0.0.1: echoes on a few open connections and a new connection now and then. It measures how
// long both take; what is refused to it is counted.
import { connect, type Socket } from "node:net";
import { frameOf } from "./loads.js";

const CONNECTIONS = 4;
/** Milliseconds between two echoes of one connection, and between two new connections. */
const [ECHO_EVERY, CONNECT_EVERY] = [4, 20];
/** An answer that has not come after this long counts as this long. */
const GIVEN_UP = 5_000;

export interface Honest {
  readonly echoes: readonly number[];
  readonly connects: readonly number[];
  readonly failed: number;
}

export async function honest(port: number, ms: number): Promise<Honest> {
  const frame = frameOf(64);
  const [echoes, connects]: [number[], number[]] = [[], []];
  let failed = 0;
  const until = performance.now() + ms;
  const talk = async () => {
    let one = await open(port);
    while (performance.now() < until) {
      const took = one && (await ask(one, frame));
      if (took === undefined) {
        failed++;
        one = await open(port);
      } else echoes.push(took);
      await pause(ECHO_EVERY);
    }
    one?.destroy();
  };
  const visit = async () => {
    while (performance.now() < until) {
      const began = performance.now();
      const one = await open(port);
      const took = one && (await ask(one, frame));
      if (took === undefined) failed++;
      else connects.push(performance.now() - began);
      one?.destroy();
      await pause(CONNECT_EVERY);
    }
  };
  await Promise.all([visit(), ...Array.from({ length: CONNECTIONS }, talk)]);
  return { echoes, connects, failed };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function open(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const timer = setTimeout(() => socket.destroy(), GIVEN_UP);
    socket.on("error", () => {});
    socket.on("close", () => resolve(undefined));
    socket.on("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** @returns milliseconds; `undefined`: no answer */
function ask(socket: Socket, frame: Buffer): Promise<number | undefined> {
  const began = performance.now();
  return new Promise((resolve) => {
    let received = 0;
    const done = (took: number | undefined) => {
      clearTimeout(timer);
      socket.off("data", onData).off("close", onClose);
      resolve(took);
    };
    const onClose = () => done(undefined);
    const onData = (bytes: Buffer) => {
      received += bytes.length;
      if (received >= frame.length) done(performance.now() - began);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      done(undefined);
    }, GIVEN_UP);
    socket.on("data", onData).on("close", onClose);
    if (socket.destroyed) return done(undefined);
    socket.write(frame);
  });
}

// 50,000 devices leave one server for another at once: each opens a connection there and claims its name, whose older
// holder ends. Two servers and a nats-server on loopback; the devices are in processes of their own, as one has 20,000
// descriptors here. Server, NATS and devices share the machine, so the time is that of all of them.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { cpuSeconds } from "../compare/process-usage.js";
import { type Server, start } from "../compare/servers.js";
import { opened, packetOf } from "./crowd.js";
import { drover, nats } from "./servers.js";

export const DEVICES_ARGUMENT = "devices";
const DEVICES = 50_000;
/** Devices of one process, each with two connections. */
const EACH = 8_000;
/** Workers of a server: each has 20,000 descriptors, too. */
const SERVER_WORKERS = 3;
/** Connections that one process opens at the same time: all of them fit into the backlog, which is 4,096. */
const AT_ONCE = 500;

const PROTOCOL = `
import { defineProtocol, names, next, packet } from "drover";
const devices = names<string, string>("device");
export default defineProtocol({
  name: "devices",
  framing: packet(2),
  answers: devices,
  states: {
    ready: {
      idle: { after: Infinity, do: next("ready") },
      frame: async (conn, frame) => {
        const [what, name = ""] = String(frame).split(" ");
        if (what === "claim") conn.send((await devices.claim(conn, name, { within: "60s" })).previous);
        else conn.send("at " + ((await devices.whereis(name))?.pid ?? "nowhere"));
      },
      request: (conn, request) => request.reply("here"),
    },
  },
});
`;

interface Move {
  readonly port: number;
  readonly address: string;
}

/** What a process of devices has seen since the move began. */
interface Moved {
  /** Milliseconds until the last claim was granted, and until the last older connection had ended. */
  readonly claimed: number;
  readonly replaced: number;
  /** Answers to the claims, and how many of each. */
  readonly previous: Readonly<Record<string, number>>;
}

/** In a process of its own: devices with the names from `first` on. */
export function runDevices(first: number, count: number): void {
  const sockets: Socket[] = [];
  let lost = 0;
  process.on("message", async (to: Move | "lost") => {
    if (to === "lost") return process.send?.(lost);
    const began = performance.now();
    const older = sockets.splice(0);
    const ends = Promise.all(older.map((socket) => socket.destroyed || once(socket, "close")));
    const previous: Record<string, number> = {};
    let next = 0;
    const open = async () => {
      for (let at = next++; at < count; at = next++) {
        const socket = connect({ port: to.port, host: "127.0.0.1", localAddress: to.address });
        sockets[at] = socket.setNoDelay();
        socket.on("close", () => {
          if (sockets[at] === socket) lost++;
        });
        await once(socket, "connect");
        socket.write(packetOf(`claim ${first + at}`));
        const [answer] = (await once(socket, "data")) as [Buffer];
        const word = answer.toString("latin1", 2);
        previous[word] = (previous[word] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, open));
    const claimed = performance.now() - began;
    await ends;
    process.send?.({ claimed, replaced: performance.now() - began, previous } satisfies Moved);
  });
  process.once("disconnect", () => process.exit());
}

export interface Reconnected {
  readonly devices: number;
  /** Seconds until all names were claimed, and until all older connections had ended. */
  readonly claimed: number;
  readonly replaced: number;
  readonly previous: Readonly<Record<string, number>>;
  /** Connections that ended although their claim was the newest. */
  readonly lost: number;
  /** CPU seconds of both servers. */
  readonly cpu: number;
  /** Names that the other server does not see at the new one, of 1,000. */
  readonly astray: number;
}

/** @param main the built program. @param entry this bundle. @returns `undefined` without a nats-server */
export async function reconnect(
  main: string,
  entry: string,
  say: (text: string) => void,
  count = DEVICES,
): Promise<Reconnected | undefined> {
  const contestant = nats();
  if (!contestant) return undefined;
  const ended: (() => unknown)[] = [];
  try {
    const carrier = await start(contestant);
    ended.push(() => carrier.stop());
    const servers: Server[] = [];
    for (const node of ["one", "two"]) {
      const flags = ["--nats", `nats://127.0.0.1:${carrier.port}`, "--cluster", "bench", "--node", node];
      const server = await start(drover(main, PROTOCOL, flags, SERVER_WORKERS));
      ended.push(() => server.stop());
      servers.push(server);
    }
    const [one, two] = servers as [Server, Server];
    const crowds: ChildProcess[] = [];
    for (let first = 0; first < count; first += EACH) {
      const args = [DEVICES_ARGUMENT, `${first}`, `${Math.min(EACH, count - first)}`];
      const crowd = fork(entry, args, { execArgv: [] });
      ended.push(() => crowd.kill("SIGKILL"));
      crowds.push(crowd);
    }
    say(`${count} devices at the first server: ${(await move(crowds, one)).claimed.toFixed(1)} s`);
    const before = cpuSeconds(one.osPid) + cpuSeconds(two.osPid);
    const moved = await move(crowds, two);
    const cpu = cpuSeconds(one.osPid) + cpuSeconds(two.osPid) - before;
    const seen = await astray(one, two, count);
    const lost = await Promise.all(crowds.map((crowd) => answerOf<number>(crowd, "lost")));
    const all = lost.reduce((sum, one) => sum + one, 0);
    return { devices: count, ...moved, cpu, lost: all, astray: seen };
  } finally {
    for (const end of ended.reverse()) await end();
  }
}

async function move(crowds: readonly ChildProcess[], to: Server) {
  const all = await Promise.all(
    crowds.map((crowd, at) => answerOf<Moved>(crowd, { port: to.port, address: `127.0.0.${at + 2}` })),
  );
  const previous: Record<string, number> = {};
  for (const one of all)
    for (const [word, times] of Object.entries(one.previous)) previous[word] = (previous[word] ?? 0) + times;
  return {
    claimed: Math.max(...all.map(({ claimed }) => claimed)) / 1_000,
    replaced: Math.max(...all.map(({ replaced }) => replaced)) / 1_000,
    previous,
  };
}

async function answerOf<A>(crowd: ChildProcess, asked: Move | "lost"): Promise<A> {
  const exited = once(crowd, "exit").then(() => {
    throw new Error("a process of devices has ended");
  });
  crowd.send(asked);
  return ((await Promise.race([once(crowd, "message"), exited])) as [A])[0];
}

const SAMPLE = 1_000;

/** Asks both servers where names are: both must say the second one. */
async function astray(one: Server, two: Server, count: number): Promise<number> {
  const [elsewhere, here] = await Promise.all([opened(one.port), opened(two.port)]);
  let wrong = 0;
  for (let at = 0; at < SAMPLE; at++) {
    const name = Math.floor((at * count) / SAMPLE);
    for (const socket of [elsewhere, here]) socket.write(packetOf(`where ${name}`));
    const [far, near] = await Promise.all([where(elsewhere), where(here)]);
    if (near === "nowhere" || far !== near.replace(">", "@two>")) wrong++;
  }
  for (const socket of [elsewhere, here]) socket.destroy();
  return wrong;
}

async function where(socket: Socket): Promise<string> {
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString("latin1", 2).replace("at ", "");
}

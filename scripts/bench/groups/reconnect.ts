// 50,000 devices leave one server for another at once: each opens a connection there and claims its name, whose older
// holder ends. Two servers and a nats-server on loopback; the devices are in processes of their own, as one has 20,000
// descriptors here. Server, NATS and devices share the machine, so the time is that of all of them.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { cpuSecondsOfAll } from "../compare/process-usage.js";
import { type Server, start } from "../compare/servers.js";
import { opened, packetOf } from "./crowd.js";
import type { Move, Moved } from "./devices.js";
import { drover, nats } from "./servers.js";

export const DEVICES_ARGUMENT = "devices";
const DEVICES = 50_000;
/** Devices of one process, each with two connections. */
const EACH = 8_000;
/** Workers of a server: each has 20,000 descriptors, too. */
const SERVER_WORKERS = 3;

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

/** All devices have moved once. */
export interface Reconnected {
  /** Seconds until all names were claimed, and until all older connections had ended. */
  readonly claimed: number;
  readonly replaced: number;
  readonly previous: Readonly<Record<string, number>>;
  /** CPU seconds of both servers, of the processes of devices, and of the nats-server. */
  readonly servers: number;
  readonly devices: number;
  readonly nats: number;
}

export interface Moves {
  readonly moves: readonly Reconnected[];
  /** Connections that ended although their claim was the newest. */
  readonly lost: number;
  /** Names that the other server does not see at the new one, of 1,000. */
  readonly astray: number;
}

/**
 * Moves all devices to the other server, back, and there again: in the first move V8 compiles what runs most.
 * @param main the built program. @param entry this bundle. @returns `undefined` without a nats-server
 */
export async function reconnect(
  main: string,
  entry: string,
  say: (text: string) => void,
  count = DEVICES,
): Promise<Moves | undefined> {
  const contestant = nats();
  if (!contestant) return undefined;
  const ended: (() => unknown)[] = [];
  try {
    const carrier = await start(contestant);
    ended.push(() => carrier.stop());
    const servers: Server[] = [];
    for (const node of ["one", "two"]) {
      const flags = ["--nats", `nats://127.0.0.1:${carrier.port}`, "--cluster", "bench", "--node", node];
      const server = await start(drover(main, PROTOCOL, flags, SERVER_WORKERS, "0.0.0.0"));
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
      await once(crowd, "message");
    }
    say(`${count} devices at the first server: ${(await move(crowds, one)).claimed.toFixed(1)} s`);
    const osPids = [
      [one, two].map(({ osPid }) => osPid),
      crowds.map(({ pid }) => pid as number),
      [carrier.osPid],
    ];
    const moves: Reconnected[] = [];
    for (const to of [two, one, two]) {
      const before = osPids.map(cpuSecondsOfAll);
      const moved = await move(crowds, to);
      const [ofServers = 0, devices = 0, ofNats = 0] = osPids.map(
        (all, at) => cpuSecondsOfAll(all) - (before[at] as number),
      );
      moves.push({ ...moved, servers: ofServers, devices, nats: ofNats });
    }
    const seen = await astray(one, two, count);
    const lost = await Promise.all(crowds.map((crowd) => answerOf<number>(crowd, "lost")));
    return { moves, lost: lost.reduce((sum, one) => sum + one, 0), astray: seen };
  } finally {
    for (const end of ended.reverse()) await end();
  }
}

async function move(crowds: readonly ChildProcess[], to: Server) {
  const all = await Promise.all(
    crowds.map((crowd, at) => answerOf<Moved>(crowd, { port: to.port, network: `127.0.${at + 2}` })),
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

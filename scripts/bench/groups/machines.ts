// CPU of a message between two servers: published by a connection of one, for a member on the other, over a nats-server on
// loopback; beside two processes with the plain client of NATS, one message in each of theirs. Four publishers of each
// send their next 64 when the last 64 are there.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../compare/median.js";
import { cpuSeconds, descendant } from "../compare/process-usage.js";
import { type Server, start } from "../compare/servers.js";
import { opened, packetOf, said } from "./crowd.js";
import { BODY, drover, nats } from "./servers.js";

/** Messages in a turn. */
const TURN = 64;
/** Publishers at the same time, each with a group and a member of its own. */
const LANES = 4;
/** Milliseconds until V8 has compiled what runs most. */
const WARM_UP = 8_000;
const WITHIN = 20_000;

const PROTOCOL = `
import { defineProtocol, groups, next, packet } from "drover";
const lanes = groups<Uint8Array>("lane");
const body = Buffer.alloc(${BODY}, "x");
const idle = { after: Infinity, do: next("ready") };
export default defineProtocol({
  name: "machines",
  framing: packet(2),
  takes: lanes,
  data: () => ({ got: 0 }),
  states: {
    ready: {
      idle,
      frame: async (conn, frame) => {
        const [what, lane = ""] = String(frame).split(" ");
        if (what === "count") conn.send("members " + (await lanes(lane).count()));
        else if (what === "join") {
          lanes(lane).join(conn);
          conn.send("ok");
        } else for (let at = 0; at < ${TURN}; at++) lanes(lane).send(body);
      },
      message: (conn) => {
        if (++conn.data.got % ${TURN} === 0) conn.send("all");
      },
    },
  },
});
`;

/** One of the two plain processes: `publisher` sends for as long as it is told, and says how many. */
const plainCode = (client: string) => `
const { connect } = require(${JSON.stringify(client)});
const [role, servers] = process.argv.slice(2);
connect({ servers }).then(async (nc) => {
  const body = Buffer.alloc(${BODY}, "x");
  const lanes = Array.from({ length: ${LANES} }, (_, at) => {
    const lane = { far: "far." + at, all: "all." + at, got: 0, go: () => {} };
    if (role === "publisher") nc.subscribe(lane.all, { callback: () => lane.go() });
    else nc.subscribe(lane.far, { callback: () => ++lane.got % ${TURN} === 0 && nc.publish(lane.all) });
    return lane;
  });
  await nc.flush();
  process.on("message", async (ms) => {
    const until = performance.now() + ms;
    let messages = 0;
    const run = async (lane) => {
      for (; performance.now() < until; messages += ${TURN}) {
        const all = new Promise((resolve) => (lane.go = resolve));
        for (let at = 0; at < ${TURN}; at++) nc.publish(lane.far, body);
        await all;
      }
    };
    await Promise.all(lanes.map(run));
    process.send(messages);
  });
  process.send("ready");
});
`;

export interface CrossCost {
  /** CPU microseconds per message: of both exchanges, of both plain processes; then of all of both servers. */
  readonly exchanges: number;
  readonly plain: number;
  readonly servers: number;
  /** What the nats-server takes of each of the two. */
  readonly natsOfServers: number;
  readonly natsOfPlain: number;
}

/** @param main the built program. @returns `undefined` without a nats-server */
export async function crossMachine(main: string, rounds: number, ms: number): Promise<CrossCost | undefined> {
  const contestant = nats();
  if (!contestant) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "bench-machines-"));
  const ended: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const carrier = await start(contestant);
    ended.push(() => carrier.stop());
    const url = `nats://127.0.0.1:${carrier.port}`;
    const servers: Server[] = [];
    for (const node of ["one", "two"]) {
      const flags = ["--nats", url, "--cluster", "bench", "--node", node];
      const server = await start(drover(main, PROTOCOL, flags));
      ended.push(() => server.stop());
      servers.push(server);
    }
    const ours = await droverWay(servers as [Server, Server]);
    ended.push(ours.end);
    const plain = await plainWay(main, folder, url);
    ended.push(plain.end);
    const ways = [ours, plain] as const;
    for (const way of ways) await way.publish(WARM_UP);
    const costs = ways.map(({ osPids }) => [...osPids, carrier.osPid].map((): number[] => []));
    for (let round = 0; round < rounds; round++)
      for (const [which, way] of ways.entries()) {
        const counted = [...way.osPids, carrier.osPid];
        const before = counted.map(cpuSeconds);
        const messages = await way.publish(ms);
        counted.forEach((osPid, at) => {
          costs[which]?.[at]?.push(((cpuSeconds(osPid) - (before[at] as number)) / messages) * 1e6);
        });
      }
    const [
      [e1 = [], e2 = [], s1 = [], s2 = [], natsOurs = []] = [],
      [p1 = [], p2 = [], natsPlain = []] = [],
    ] = costs;
    const sum = (...all: (readonly number[])[]) =>
      median((all[0] ?? []).map((_, round) => all.reduce((total, one) => total + (one[round] as number), 0)));
    return {
      ...{ exchanges: sum(e1, e2), plain: sum(p1, p2), servers: sum(s1, s2) },
      ...{ natsOfServers: sum(natsOurs), natsOfPlain: sum(natsPlain) },
    };
  } finally {
    for (const end of ended.reverse()) await end();
  }
}

interface Way {
  /** Whose CPU time is counted. */
  readonly osPids: readonly number[];
  /** @returns the number of messages that came */
  publish(ms: number): Promise<number>;
  end(): void;
}

async function droverWay(servers: readonly [Server, Server]): Promise<Way> {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, at) => openLane(servers, at)));
  const exchanges = servers.map(({ osPid }) => descendant(osPid, "exchange") as number);
  return {
    osPids: [...exchanges, ...servers.map(({ osPid }) => osPid)],
    publish: async (ms) => {
      const until = performance.now() + ms;
      let messages = 0;
      const run = async ([publisher, member]: readonly [Socket, Socket], at: number) => {
        for (; performance.now() < until; messages += TURN) {
          publisher.write(packetOf(`go ${at}`));
          await said(member, "all");
        }
      };
      await Promise.all(lanes.map(run));
      return messages;
    },
    end: () => lanes.flat().forEach((socket) => void socket.destroy()),
  };
}

/** A connection that publishes, and a member on the other server that it knows. */
async function openLane(servers: readonly [Server, Server], at: number): Promise<[Socket, Socket]> {
  const [publisher, member] = (await Promise.all(servers.map(({ port }) => opened(port)))) as [
    Socket,
    Socket,
  ];
  member.write(packetOf(`join ${at}`));
  await said(member, "ok");
  for (const until = performance.now() + WITHIN; ; ) {
    publisher.write(packetOf(`count ${at}`));
    const [answer] = (await once(publisher, "data")) as [Buffer];
    if (answer.toString("latin1", 2) === "members 1") return [publisher, member];
    if (performance.now() > until) throw new Error("the servers do not know each other");
    await pause(100);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function plainWay(main: string, folder: string, url: string): Promise<Way> {
  const script = join(folder, "plain.cjs");
  writeFileSync(script, plainCode(createRequire(main).resolve("@nats-io/transport-node")));
  const children: ChildProcess[] = [];
  for (const role of ["subscriber", "publisher"]) {
    const child = fork(script, [role, url], { execArgv: [] });
    children.push(child);
    await once(child, "message");
  }
  const [, publisher] = children as [ChildProcess, ChildProcess];
  return {
    osPids: children.map(({ pid }) => pid as number),
    publish: async (ms) => {
      publisher.send(ms);
      const [messages] = (await once(publisher, "message")) as [number];
      return messages;
    },
    end: () => children.forEach((child) => void child.kill("SIGKILL")),
  };
}

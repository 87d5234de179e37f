/**
 * NATS paused while clients publish all that is taken: what the exchange keeps meanwhile is bounded, and the next server is
 * used. The client of NATS by itself would keep all of it: 1.17 GB in 20 s. `NATS_PAUSE=30` pauses for 30 s.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endNatsServers, NatsServer } from "../../support/nats-server.js";
import { exchangeOf } from "../../support/os-processes.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const test = testWith("nats-server", "apt-get install nats-server");

/** Milliseconds. */
const PAUSE = Number(process.env.NATS_PAUSE ?? 3) * 1_000;
/** Before a pause, so that what V8 takes for the load itself is not counted. */
const LOAD = Math.max(2_000, PAUSE / 3);
const PUBLISHERS = 4;
const BYTES = 16_000;
/** MiB: the bar of the design is 32, on a machine of its own. */
const BOUND = 64;

const PROTOCOL = `
import { defineProtocol, forward, group, packet } from "drover";
const far = group<Uint8Array>("far");
export default defineProtocol({
  name: "paused",
  framing: packet(2),
  takes: far,
  states: {
    ready: {
      frame: (conn, frame) => {
        if (frame.length > 5) return far.send(frame);
        far.join(conn);
        conn.send("ok");
      },
      message: forward,
    },
  },
});
`;

let nats: NatsServer[];
let servers: Awaited<ReturnType<typeof serveProtocol>>[];
let member: FrameClient;
/** When the last message that came was sent. */
let newest = 0;
let publishing = false;
const clients: FrameClient[] = [];

beforeAll(async () => {
  if (!find("nats-server")) return;
  const route = await freePort();
  nats = [
    await NatsServer.start({ config: `cluster { name: t, listen: "127.0.0.1:${route}" }` }),
    await NatsServer.start({
      config: `cluster { name: t, listen: "127.0.0.1:-1", routes: ["nats://127.0.0.1:${route}"] }`,
    }),
  ];
  const urls = nats.map(({ url }) => url).join(",");
  servers = await Promise.all(
    ["one", "two"].map((node) =>
      serveProtocol("paused.ts", PROTOCOL, [
        "--workers=1",
        "--cluster=p",
        `--node=${node}`,
        `--nats=${urls}`,
      ]),
    ),
  );
  await Promise.all(servers.map(({ program }) => program.line(({ event }) => event === "nats_up")));
  const [one, two] = servers.map(({ port }) => port) as [number, number];
  member = await FrameClient.connect(two);
  expect(await member.ask("join")).toBe("ok");
  member.socket.on("data", () => {
    for (const frame of member.frames.splice(0)) newest = Math.max(newest, frame.readDoubleBE(0));
  });
  for (let at = 0; at < PUBLISHERS; at++) {
    const client = await FrameClient.connect(one);
    clients.push(client);
    client.socket.on("drain", () => publish(client));
  }
});

afterAll(async () => {
  publishing = false;
  for (const server of nats ?? []) server.signal("SIGCONT");
  for (const { socket } of [...clients, ...(member ? [member] : [])]) socket.destroy();
  await endAll();
  await endNatsServers();
});

function frameOfNow(bytes: number): Buffer {
  const frame = Buffer.alloc(2 + bytes);
  frame.writeUInt16BE(bytes);
  frame.writeDoubleBE(performance.now(), 2);
  return frame;
}

/** As fast as the server takes it, while `publishing`. */
function publish({ socket }: FrameClient): void {
  while (publishing && !socket.destroyed) if (!socket.write(frameOfNow(BYTES))) return;
}

function publishAll(on: boolean): void {
  publishing = on;
  for (const client of clients) publish(client);
}

/** Resolves when a message that is sent after the load comes. */
async function goesOn(): Promise<void> {
  publishAll(false);
  const client = await FrameClient.connect(servers[0]?.port as number);
  const from = performance.now();
  await eventually(() => {
    client.socket.write(frameOfNow(100));
    return newest >= from;
  }, 100_000);
  client.end();
}

/** Resident memory of both exchanges, in MiB. */
function memory(): readonly number[] {
  return servers.map(({ program }) => {
    const status = readFileSync(`/proc/${exchangeOf(program.osPid)}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
  });
}

/** The highest of each exchange within so many milliseconds. */
async function peak(ms: number): Promise<readonly number[]> {
  let highest = memory();
  for (const until = performance.now() + ms; performance.now() < until; ) {
    await sleep(100);
    highest = memory().map((one, at) => Math.max(one, highest[at] as number));
  }
  return highest;
}

/**
 * Pauses NATS servers under load, at least until something is so.
 * @returns by how many MiB each exchange grew, and after how many ms it was so
 */
async function pause(which: readonly NatsServer[], isSo: () => boolean | Promise<boolean>) {
  publishAll(true);
  const before = await peak(LOAD);
  for (const server of which) server.signal("SIGSTOP");
  const pausedAt = performance.now();
  const after = eventually(async () => (await isSo()) && performance.now() - pausedAt, 100_000);
  const during = await peak(PAUSE);
  const ms = await after;
  for (const server of which) server.signal("SIGCONT");
  await goesOn();
  return { grown: during.map((one, at) => one - (before[at] as number)), ms };
}

const shown = (all: readonly number[]) => all.map((one) => one.toFixed(0)).join(" and ");

/** How often each server has logged this. */
const logged = (name: string) =>
  servers.map(({ program }) => program.lines.filter(({ event }) => event === name).length);

/** @returns whether each server has logged it again */
function again(name: string): () => boolean {
  const before = logged(name);
  return () => logged(name).every((count, at) => count > (before[at] as number));
}

test("the first NATS server paused under full publish: memory is bounded, and the second server is used", async () => {
  const { grown, ms } = await pause(nats.slice(0, 1), again("nats_up"));
  console.log(
    `one of two paused for ${PAUSE / 1_000} s: exchanges grew by ${shown(grown)} MiB (bar 32), ` +
      `the second in use after ${ms.toFixed(0)} ms (bar 3000)`,
  );
  for (const mib of grown) expect(mib).toBeLessThan(BOUND);
});

test("all NATS servers paused under full publish: memory is bounded, no client is closed, and messages go on", async () => {
  const { grown } = await pause(nats, () => true);
  console.log(`both paused for ${PAUSE / 1_000} s: exchanges grew by ${shown(grown)} MiB (bar 32)`);
  for (const mib of grown) expect(mib).toBeLessThan(BOUND);
  await expect.poll(async () => (await http(servers[0]?.adminPort as number, "/ready")).status).toBe(200);
  expect(clients.filter(({ isClosed }) => isClosed)).toEqual([]);
});

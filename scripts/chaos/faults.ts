// The faults: what each does to the server, and how it ends. A fault resolves when it is over; recovery counts from
// the moment that it names.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../fuzz/random.js";
import { deafClients, halfFrames, hostileFrames, say, storm } from "./attackers.js";
import { PATIENCE_MS } from "./crowd.js";
import { descriptors, signal } from "./os-processes.js";
import { HANG, THROW } from "./protocol.js";
import { pause, type Server } from "./server.js";

export interface Fault {
  readonly name: string;
  /** A worker ends by it, and another one takes its place. */
  readonly endsWorker?: boolean;
  /** The control socket cannot answer while it lasts. */
  readonly primaryAway?: boolean;
  /** @returns what went wrong, if anything */
  cause(server: Server, random: Random): Promise<string | undefined | void>;
}

/** For clients that are not replied to but ended: 3 s by the protocol's limits, and the timer wheel's slot. */
const ENDED_MS = PATIENCE_MS;

/** For clients that do not read: 3 s from the last byte that the kernel's buffers took. */
const DEAF_MS = 10_000;

const oneWorker = async (server: Server, random: Random) => random.pick(await server.workers());

async function whileStopped(osPids: readonly number[], ms: number): Promise<void> {
  for (const osPid of osPids) signal(osPid, "SIGSTOP");
  await pause(ms);
  for (const osPid of osPids) signal(osPid, "SIGCONT");
}

const prlimit = (osPid: number, limit: number) =>
  spawnSync("prlimit", [`--pid=${osPid}`, `--nofile=${limit}:`]);

/** Lowers the soft limit of descriptors to what is open, for this long. */
async function starve(osPid: number, ms: number): Promise<void> {
  const before = /Max open files\s+(\d+)/.exec(
    spawnSync("cat", [`/proc/${osPid}/limits`], { encoding: "utf8" }).stdout,
  )?.[1];
  prlimit(osPid, descriptors(osPid) ?? 64);
  await pause(ms);
  prlimit(osPid, Number(before));
}

const complaint = (count: number, what: string) => (count > 0 ? `${count} ${what}` : undefined);

export const FAULTS: readonly Fault[] = [
  {
    name: "worker killed",
    endsWorker: true,
    cause: async (server, random) => signal(await oneWorker(server, random), "SIGKILL"),
  },
  {
    name: "all workers killed",
    endsWorker: true,
    cause: async (server) => {
      for (const osPid of await server.workers()) signal(osPid, "SIGKILL");
    },
  },
  {
    name: "worker stopped for good",
    endsWorker: true,
    cause: async (server, random) => signal(await oneWorker(server, random), "SIGSTOP"),
  },
  {
    name: "worker stopped for a second",
    cause: async (server, random) =>
      whileStopped([await oneWorker(server, random)], 300 + random.below(1_000)),
  },
  { name: "worker hangs", endsWorker: true, cause: ({ ports }) => say(ports.main, HANG) },
  {
    name: "handlers throw",
    cause: async ({ ports }) => {
      for (let n = 0; n < 20; n++) await say(ports.main, THROW);
    },
  },
  {
    name: "primary stopped",
    primaryAway: true,
    cause: ({ osPid }, random) => whileStopped([osPid], 500 + random.below(2_500)),
  },
  {
    name: "primary stopped, worker killed",
    endsWorker: true,
    primaryAway: true,
    cause: async (server, random) => {
      const worker = await oneWorker(server, random);
      signal(server.osPid, "SIGSTOP");
      signal(worker, "SIGKILL");
      await whileStopped([server.osPid], 500 + random.below(1_500));
    },
  },
  {
    name: "whole program stopped",
    primaryAway: true,
    cause: async (server, random) =>
      whileStopped([server.osPid, ...(await server.workers())], 500 + random.below(2_500)),
  },
  {
    name: "descriptors of a worker gone",
    cause: async (server, random) => starve(await oneWorker(server, random), 1_000 + random.below(1_000)),
  },
  { name: "descriptors of the primary gone", cause: ({ osPid }) => starve(osPid, 1_000) },
  {
    name: "log disk full",
    cause: async ({ logDisk }) => {
      if (!logDisk) return;
      const filler = join(logDisk, "filler");
      try {
        writeFileSync(filler, Buffer.alloc(8 * 1024 * 1024));
      } catch {}
      await pause(1_500);
      rmSync(filler, { force: true });
    },
  },
  {
    name: "reader of the output gone",
    cause: async (server) => {
      signal(server.reader, "SIGKILL");
      for (let n = 0; n < 5; n++) await say(server.ports.main, "print");
      server.readOutput();
    },
  },
  {
    name: "reader of the output stopped",
    cause: async (server) => {
      signal(server.reader, "SIGSTOP");
      for (let n = 0; n < 5; n++) await say(server.ports.main, "print");
      signal(server.reader, "SIGCONT");
    },
  },
  {
    name: "connections killed",
    cause: async (server) => {
      const { connections, rows = connections } = JSON.parse(
        await server.ask("GET", "/connections?limit=20"),
      );
      for (const { pid } of rows ?? [])
        await server.ask("POST", "/kill", { pid, reason: "kill" }).catch(() => {});
    },
  },
  {
    name: "half frames",
    cause: async ({ ports }) =>
      complaint(await halfFrames(ports.main, 50, ENDED_MS), "half frames were not ended"),
  },
  {
    name: "hostile frames",
    cause: async ({ ports }, random) =>
      complaint(
        await hostileFrames(Object.values(ports), random, ENDED_MS + 1_500),
        "clients with hostile bytes were not ended",
      ),
  },
  {
    name: "clients that do not read",
    cause: async ({ ports }) =>
      complaint(await deafClients(ports.main, 10, DEAF_MS), "deaf clients were not ended"),
  },
  {
    name: "connect storm",
    cause: async ({ ports }) =>
      complaint(await storm(ports.main, 400, PATIENCE_MS), "of a storm were not answered"),
  },
  {
    name: "suspend and resume",
    cause: async (server, random) => {
      await server.ask("POST", "/suspend", {});
      await pause(200 + random.below(1_000));
      await server.ask("POST", "/resume", {});
    },
  },
  {
    name: "scale",
    cause: async (server, random) => {
      for (const workers of [random.pick([1, 3, 4]), 2])
        await server.ask("POST", "/scale", { workers }, 30_000);
    },
  },
];

/** The faults in random order, each once in a round; the same seed gives the same sequence. */
export function* sequence(random: Random, only = ""): Generator<Fault> {
  for (;;) {
    const left = FAULTS.filter(({ name }) => name.includes(only));
    while (left.length > 0) yield left.splice(random.below(left.length), 1)[0]!;
  }
}

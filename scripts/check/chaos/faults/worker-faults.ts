// Workers and the exchange that are killed, stopped, or in a loop.
import { groupDelivers } from "../group-check.js";
import { exchangeOf, signal, whileStopped } from "../os-processes.js";
import { ORDER } from "../protocol.js";
import { oneWorker, pause, type Server } from "../server.js";
import { say } from "./attackers.js";
import type { Fault } from "./fault.js";

/** OS pid of the exchange, once there is one. */
async function exchange(server: Server): Promise<number> {
  const end = performance.now() + server.patience(15_000);
  for (;;) {
    try {
      return exchangeOf(server.osPid);
    } catch (error) {
      if (performance.now() > end) throw error;
      await pause(50);
    }
  }
}

export const WORKER_FAULTS: readonly Fault[] = [
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
  { name: "worker hangs", endsWorker: true, cause: ({ ports }) => say(ports.main, ORDER.hang) },
  {
    name: "handlers throw",
    cause: async ({ ports }) => {
      for (let n = 0; n < 20; n++) await say(ports.main, ORDER.throw);
    },
  },
  {
    name: "exchange killed",
    cause: async (server) => signal(await exchange(server), "SIGKILL"),
    isOver: groupDelivers,
  },
  {
    name: "exchange stopped for a second",
    cause: async (server, random) => whileStopped([await exchange(server)], 300 + random.below(1_000)),
    isOver: groupDelivers,
  },
  {
    name: "exchange stopped for good",
    cause: async (server) => signal(await exchange(server), "SIGSTOP"),
    isOver: groupDelivers,
  },
];

// Workers without memory: the heap is full, the cgroup is full, the kernel gives no more.
import { lowerLimit, runs } from "../os-processes.js";
import { ORDER } from "../protocol.js";
import { oneWorker, pause } from "../server.js";
import { say } from "./attackers.js";
import { Cgroup, hasCgroups } from "./cgroup.js";
import type { Fault } from "./fault.js";

/** Until the kernel has killed: the watchdog would end the worker then. */
const KILLED_MS = 2_000;

export const MEMORY_FAULTS: readonly Fault[] = [
  { name: "heap of a worker full", endsWorker: true, cause: ({ ports }) => say(ports.main, ORDER.heap) },
  {
    name: "cgroup of the workers full",
    endsWorker: true,
    isPossible: () => hasCgroups,
    cause: async (server) => {
      const [workers, cgroup] = [await server.workers(), Cgroup.make()];
      if (!cgroup) return "no cgroup could be made";
      for (const osPid of workers) cgroup.enter(osPid);
      await say(server.ports.main, ORDER.bytes);
      const end = performance.now() + KILLED_MS;
      while (workers.every(runs) && performance.now() < end) await pause(10);
      await cgroup.remove();
    },
  },
  {
    name: "address space of a worker full",
    cause: async (server, random) => {
      const restore = lowerLimit(await oneWorker(server, random), "as");
      await pause(500 + random.below(1_000));
      restore();
    },
  },
];

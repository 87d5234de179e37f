// Descriptors, disk and standard output that are used up.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lowerLimit, signal } from "../os-processes.js";
import { ORDER } from "../protocol.js";
import { oneWorker, pause } from "../server.js";
import { say } from "./attackers.js";
import type { Fault } from "./fault.js";

/** Lowers the soft limit of descriptors so that none can be opened, for this long. */
async function starve(osPid: number, ms: number): Promise<void> {
  const restore = lowerLimit(osPid, "nofile");
  await pause(ms);
  restore();
}

async function printLines(port: number): Promise<void> {
  for (let n = 0; n < 5; n++) await say(port, ORDER.print);
}

export const RESOURCE_FAULTS: readonly Fault[] = [
  {
    name: "descriptors of a worker gone",
    cause: async (server, random) => starve(await oneWorker(server, random), 1_000 + random.below(1_000)),
  },
  {
    name: "descriptors of the primary gone",
    primaryRefuses: true,
    cause: ({ osPid }) => starve(osPid, 1_000),
  },
  {
    name: "log disk full",
    isPossible: ({ logDisk }) => logDisk !== undefined,
    cause: async ({ logDisk }) => {
      const filler = join(logDisk!, "filler");
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
      await printLines(server.ports.main);
      server.readOutput();
    },
  },
  {
    name: "reader of the output stopped",
    cause: async (server) => {
      signal(server.reader, "SIGSTOP");
      await printLines(server.ports.main);
      signal(server.reader, "SIGCONT");
    },
  },
];

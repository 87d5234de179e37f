// The primary stopped or killed. After a kill the program is started again, as a service manager would do it.
import { descendants, signal, stillRuns, whileStopped } from "../os-processes.js";
import { oneWorker, type Server } from "../server.js";
import type { Fault } from "./fault.js";

export const PRIMARY_FAULTS: readonly Fault[] = [
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
    name: "primary killed",
    endsPrimary: true,
    cause: (server) => kill(server, false),
    isOver: noOrphans,
  },
  {
    name: "whole program killed",
    endsPrimary: true,
    cause: (server) => kill(server, true),
    isOver: noOrphans,
  },
];

async function kill(server: Server, all: boolean): Promise<void> {
  server.orphans = descendants(server.osPid);
  const victims = all ? server.orphans.map(({ osPid }) => osPid) : [];
  for (const osPid of [server.osPid, ...victims]) signal(osPid, "SIGKILL");
  await server.exited();
  server.startAgain();
}

/** Nothing of the program that was killed runs. Late ones are a violation by the time for the recovery. */
async function noOrphans(server: Server): Promise<boolean> {
  return !server.orphans.some(stillRuns);
}

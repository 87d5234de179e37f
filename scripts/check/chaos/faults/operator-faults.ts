// What an operator may ask for at any time.
import { PATIENCE_MS } from "../crowd.js";
import { pause } from "../server.js";
import type { Fault } from "./fault.js";

export const OPERATOR_FAULTS: readonly Fault[] = [
  {
    name: "connections killed",
    cause: async (server) => {
      const end = performance.now() + server.patience(PATIENCE_MS);
      let killed = 0;
      // Once more: all of the list may have gone, and a worker that is busy for a second is not in it.
      while (killed === 0 && performance.now() < end)
        for (const pid of (await server.connections()).slice(0, 20)) if (await server.kill(pid)) killed++;
      return killed === 0 ? "no connection could be killed" : undefined;
    },
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

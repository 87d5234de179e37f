// What an operator may ask for at any time.
import { pause } from "../server.js";
import type { Fault } from "./fault.js";

export const OPERATOR_FAULTS: readonly Fault[] = [
  {
    name: "connections killed",
    cause: async (server) => {
      let killed = 0;
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

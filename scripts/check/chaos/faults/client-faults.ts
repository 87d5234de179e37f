// Clients that misbehave, many at once.
import { PATIENCE_MS } from "../crowd.js";
import { deafClients, halfFrames, hostileFrames, storm } from "./attackers.js";
import type { Fault } from "./fault.js";

/** For clients that are not replied to but ended: 3 s by the protocol's limits, and the timer wheel's slot. */
const ENDED_MS = PATIENCE_MS;
/** For clients that do not read: 3 s from the last byte that the kernel's buffers took. */
const DEAF_MS = 10_000;

const complaint = (count: number, what: string) => (count > 0 ? `${count} ${what}` : undefined);

export const CLIENT_FAULTS: readonly Fault[] = [
  {
    name: "half frames",
    cause: async (server) =>
      complaint(
        await halfFrames(server.ports.main, 50, server.patience(ENDED_MS)),
        "half frames were not ended",
      ),
  },
  {
    name: "hostile frames",
    cause: async (server, random) =>
      complaint(
        await hostileFrames(Object.values(server.ports), random, server.patience(ENDED_MS + 1_500)),
        "clients with hostile bytes were not ended",
      ),
  },
  {
    name: "clients that do not read",
    cause: async (server) =>
      complaint(
        await deafClients(server.ports.main, 10, server.patience(DEAF_MS)),
        "clients that do not read were not ended",
      ),
  },
  {
    name: "connect storm",
    cause: async (server) =>
      complaint(
        await storm(server.ports.main, 400, server.patience(PATIENCE_MS)),
        "of a storm were not answered",
      ),
  },
];

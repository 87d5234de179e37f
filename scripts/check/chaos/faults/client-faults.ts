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
      complaint(await deafClients(ports.main, 10, DEAF_MS), "clients that do not read were not ended"),
  },
  {
    name: "connect storm",
    cause: async ({ ports }) =>
      complaint(await storm(ports.main, 400, PATIENCE_MS), "of a storm were not answered"),
  },
];

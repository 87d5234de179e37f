/** Limits of a worker with several listeners: what is for one reaches one, what is for all reaches all. */
import { expect, onTestFinished, test } from "vitest";
import { WorkerLimits } from "../../../src/cluster/worker/listeners/limits.js";
import type { WorkerListener } from "../../../src/cluster/worker/listeners/worker-listener.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";

function stage() {
  const said: string[] = [];
  const listener = (name: string, connections: number) => ({
    ...{ name, endpoint: { taken: connections } },
    accept: async (accept: boolean) => {
      said.push(`${name} accept ${accept}`);
      return "suspended";
    },
    setShare: async (share: number) => void said.push(`${name} share ${share}`),
    limitChanged: async () => void said.push(`${name} limit`),
    shutdownConnections: () => connections,
  });
  const listeners = [listener("devices", 3), listener("ops", 4)] as unknown as WorkerListener[];
  const sent = { snapshots: 0 };
  const log = { warn: () => {} };
  const limits = new WorkerLimits(
    { maxConnections: 100, acceptRate: { rate: undefined, tokens: 0 } },
    () => listeners,
    () => sent.snapshots++,
    log,
  );
  return { limits, said, sent };
}

test("accept is for one listener, and a snapshot that shows it leaves before the reply", async () => {
  const { limits, said, sent } = stage();
  const state = limits.answer({ name: "accept", listener: "ops", accept: false });
  expect(await state).toBe("suspended");
  expect(said).toEqual(["ops accept false"]);
  expect(sent.snapshots).toBe(1);
});

test("a share of one listener's limit is for that one, one of all for each; both are counted", async () => {
  const { limits, said } = stage();
  expect(await limits.answer({ name: "limit", listener: "devices", maxConnections: 7 })).toBe(3);
  expect([limits.share, limits.applied, said.splice(0)]).toEqual([100, 1, ["devices share 7"]]);
  expect(await limits.answer({ name: "limit", listener: undefined, maxConnections: 40 })).toBe(7);
  expect([limits.share, limits.applied, said]).toEqual([40, 2, ["devices limit", "ops limit"]]);
});

test("connections are shut down for one listener or for all; the reply is their number", async () => {
  const { limits } = stage();
  expect(await limits.answer({ name: "shutdown-connections", listener: "ops" })).toBe(4);
  expect(await limits.answer({ name: "shutdown-connections", listener: undefined })).toBe(7);
});

test("an accepted client whose descriptor is near the limit has them counted at once, and so has every 24th, or one after 50 ms", async () => {
  const time = new ManualClock();
  onTestFinished(useClock(time));
  const { limits } = stage();
  let counts = 0;
  const count = () => {
    counts++;
    return { active: 10, openFds: 60 + 70 * counts, maxFds: 300 };
  };
  limits.updateDescriptors({ active: 10, openFds: 60, maxFds: 300 }, count);
  limits.accepted(100);
  expect([counts, limits.maxConnections]).toEqual([0, 100]);
  limits.accepted(290);
  expect(counts).toBe(1);
  for (let n = 0; n < 23; n++) limits.accepted(100);
  expect(counts).toBe(1);
  limits.accepted(100);
  expect(counts).toBe(2);
  await time.advance(50);
  limits.accepted(100);
  expect(counts).toBe(3);
  // All but its own connections are used up.
  expect(limits.maxConnections).toBeLessThan(20);
});

test("descriptors are short for all listeners together", () => {
  // The next count would come while another test runs.
  onTestFinished(useClock(new ManualClock()));
  const { limits, said } = stage();
  limits.updateDescriptors({ active: 10, openFds: 60, maxFds: 90 }, () => {
    throw new Error("not yet");
  });
  // 90 less 50 for other uses and some in reserve.
  expect(limits.maxConnections).toBeLessThan(40);
  expect(said).toEqual(["devices limit", "ops limit"]);
});

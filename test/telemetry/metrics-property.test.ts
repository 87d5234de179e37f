import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOSE_REASONS, REFUSE_REASONS } from "../../src/tcp/observe/events.js";
import { Metrics } from "../../src/telemetry/metrics/metrics.js";
import { LISTENER_TOTALS, type Snapshot, WORKER_TOTALS } from "../../src/telemetry/metrics/snapshot.js";
import { samplesOf } from "./exposition.js";
import { MAIN, snapshot } from "./samples.js";

/** A snapshot as a worker may send it: what it accepted is active or closed, all else is anything. */
const anySnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    totals: fc.record(numbers([...WORKER_TOTALS, ...LISTENER_TOTALS])),
    closed: fc.record(numbers(CLOSE_REASONS)),
    refused: fc.record(numbers(REFUSE_REASONS)),
    active: fc.nat(20),
  })
  .map(({ totals, closed, refused, active }) => {
    const accepted = active + Object.values(closed).reduce((sum, one) => sum + one, 0);
    return snapshot({ totals: { ...totals, accepted }, closed, refused, gauges: { active } });
  });

function numbers(names: readonly string[]): Record<string, fc.Arbitrary<number>> {
  return Object.fromEntries(names.map((name) => [name, fc.nat(50)]));
}

const worker = fc.integer({ min: 1, max: 3 });
const step = fc.oneof(
  fc.record({ what: fc.constant("update" as const), worker, snapshot: anySnapshot }),
  fc.record({ what: fc.constant("retire" as const), worker }),
);

/** The totals of the workers, by series. */
async function totalsOf(metrics: Metrics): Promise<Map<string, number>> {
  const totals = samplesOf(await metrics.render()).filter(({ name }) => name.endsWith("_total"));
  return new Map(totals.map(({ name, labels, value }) => [`${name}{${labels}}`, value]));
}

describe("whatever workers send, and whenever they die", () => {
  it("no total ever falls, and accepted = active + closed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const metrics = new Metrics({
          version: "1",
          listeners: [MAIN],
          transport: "stream",
        });
        let before = new Map<string, number>();
        for (const one of steps) {
          if (one.what === "update") metrics.update(one.worker, one.snapshot);
          else metrics.retire(one.worker);
          const now = await totalsOf(metrics);
          const fallen = [...before].filter(([series, value]) => !((now.get(series) ?? -1) >= value));
          expect(fallen).toEqual([]);
          const { active, accepted, closed } = metrics.connections();
          expect(accepted).toBe(active + closed);
          before = now;
        }
      }),
      { numRuns: 100 },
    );
  });
});

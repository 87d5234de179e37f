/** Totals of outgoing connections over the OS processes of one worker slot. */
import { expect, test } from "vitest";
import { CONNECT_RESULTS, type ConnectResult } from "../../src/tcp/observe/events.js";
import { OutgoingTotals } from "../../src/telemetry/metrics/outgoing-totals.js";

function counts(active: number, connects: Partial<Record<ConnectResult, number>>) {
  const zeros = Object.fromEntries(CONNECT_RESULTS.map((result) => [result, 0]));
  return [{ protocol: "db", active, connects: { ...zeros, ...connects } as Record<ConnectResult, number> }];
}

const seen = (totals: OutgoingTotals) => [
  totals.active(),
  totals.connects().filter(([, , count]) => count > 0),
];

test("totals do not fall when the OS process exits, nor when a new one begins at 0", () => {
  const totals = new OutgoingTotals();
  expect(seen(totals)).toEqual([[], []]);
  totals.update(counts(2, { open: 5, econnrefused: 3 }));
  totals.settle();
  expect(seen(totals)).toEqual([
    [["db", 0]],
    [
      ["db", "open", 5],
      ["db", "econnrefused", 3],
    ],
  ]);
  totals.update(counts(1, { open: 1 }));
  totals.update(counts(0, { open: 2 }));
  // Restarted without a notice.
  totals.update(counts(1, { open: 1 }));
  expect(seen(totals)).toEqual([
    [["db", 1]],
    [
      ["db", "open", 8],
      ["db", "econnrefused", 3],
    ],
  ]);
});

/** Connections by address: what the workers report is added up, sorted and cut. */
import { expect, test } from "vitest";
import { mergeAddresses } from "../../../src/cluster/inspect/address-list.js";
import type { AddressList, AddressRow } from "../../../src/control/connections.js";

const row = (address: string, connections: number, rest: Partial<AddressRow> = {}): AddressRow => ({
  ...{ address, connections, oldestMs: 1_000, idleMs: 100, framesReceived: 1, framesSent: 1 },
  ...{ bytesReceived: 10, bytesSent: 10, outbound: 0, ...rest },
});

const list = (rows: readonly AddressRow[], complete = true): AddressList => {
  const total = rows.reduce((sum, { connections }) => sum + connections, 0);
  return { total, matched: total, addresses: rows.length, complete, rows, missing: [] };
};

const query = { sort: "connections", order: "desc", limit: 10 } as const;

test("an address in two workers is one row: sums, the oldest age, the shortest idle time", () => {
  const one = list([row("10.0.0.7", 2, { oldestMs: 9_000, idleMs: 50 }), row("10.0.0.8", 1)]);
  const other = list([row("10.0.0.7", 3, { bytesSent: 90, outbound: 5 }), row("10.0.0.9", 4)]);
  const merged = mergeAddresses([one, other], query, [3]);
  expect(merged).toMatchObject({ total: 10, matched: 10, addresses: 3, complete: true, missing: [3] });
  expect(merged.rows[0]).toEqual(
    row("10.0.0.7", 5, {
      ...{ oldestMs: 9_000, idleMs: 50, framesReceived: 2, framesSent: 2 },
      ...{ bytesReceived: 20, bytesSent: 100, outbound: 5 },
    }),
  );
  expect(merged.rows.map(({ address }) => address)).toEqual(["10.0.0.7", "10.0.0.9", "10.0.0.8"]);
});

test("a limit cuts the rows only, and addresses that a worker left out are admitted", () => {
  const merged = mergeAddresses([list([row("a", 1), row("b", 1)], false)], { ...query, limit: 1 }, []);
  expect(merged).toMatchObject({ addresses: 2, complete: false, matched: 2 });
  expect(merged.rows.map(({ address }) => address)).toEqual(["a"]);
});

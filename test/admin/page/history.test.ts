/** The samples of the charts: those that are told live, and those that the server had kept before. */
import { expect, test } from "vitest";
import { History, SPAN } from "../../../src/admin/page/model/history.js";
import { HISTORY_COLUMNS, type Stats, type StatsHistory } from "../../../src/control/stats.js";

const NONE = {
  ...{ active: 0, accepted: 0, closed: 0, framesReceived: 0, framesSent: 0 },
  ...{ bytesReceived: 0, bytesSent: 0, crashes: 0, restarts: 0 },
};

function stats(at: number, totals: Partial<Stats["totals"]> = {}, workers: Stats["workers"] = []): Stats {
  const reasons = { closedBy: {}, refusedBy: {}, acceptQueueOverflows: 0 };
  const rest = { listeners: [], restartsLeft: 5, status: "running" } as const;
  return { at, workers, totals: { ...NONE, ...totals }, ...reasons, ...rest };
}

/** ConnectionRows of the server, each second one, of as many frames received; `null`: it stood still. */
function kept(from: number, frames: readonly (number | null)[]): StatsHistory {
  const rows = frames.map((framesReceived) => {
    if (framesReceived === null) return null;
    const numbers = { ...NONE, loopLagMs: 1, residentBytes: 2, framesReceived };
    return HISTORY_COLUMNS.map((name) => numbers[name]);
  });
  return { from, everyMs: 1_000, columns: HISTORY_COLUMNS, rows };
}

const drawn = (history: History) => {
  const [times, rates] = history.columns(["framesIn"]);
  return times?.map((at, index) => [at, rates?.[index]]);
};

test("a sample holds rates per second, from the second word on", () => {
  const history = new History();
  history.push(stats(1_000, { framesReceived: 100 }));
  expect(history.latest()).toMatchObject({ framesIn: null, active: 0 });
  history.push(stats(3_000, { framesReceived: 500, active: 7 }));
  expect(history.latest()).toMatchObject({ framesIn: 200, active: 7 });
});

test("of many workers a sample has the latest loop, and all memory", () => {
  const history = new History();
  const workers = [
    { loopLagMs: 3, residentBytes: 10 },
    { loopLagMs: 40, residentBytes: 20 },
  ] as unknown as Stats["workers"];
  history.push(stats(1_000, {}, workers));
  expect(history.latest()).toMatchObject({ lag: 40, memory: 30 });
});

test("after a hole, or in another program, a line has a gap and no rate is made up", () => {
  for (const next of [stats(60_000, { framesReceived: 900, accepted: 9 }), stats(2_000, { accepted: 0 })]) {
    const history = new History();
    history.push(stats(1_000, { framesReceived: 100, accepted: 5 }));
    history.push(next);
    const [times, active, framesIn] = history.columns(["active", "framesIn"]);
    expect(times).toHaveLength(3);
    expect([active?.[1], framesIn?.[1], framesIn?.[2]]).toEqual([null, null, null]);
  }
});

test("what the server has kept comes before what is told live, without a gap", () => {
  const history = new History();
  history.push(stats(5_600, { framesReceived: 560 }));
  history.merge(kept(2_000, [200, 300, 400, 500]));
  history.push(stats(6_600, { framesReceived: 660 }));
  expect(drawn(history)).toEqual([
    [2, null],
    [3, 100],
    [4, 100],
    [5, 100],
    [5.6, 100],
    [6.6, 100],
  ]);
  expect(history.first).toBe(2_000);
});

test("a page that was hidden or out of reach closes its gap, and keeps what the server knows no more", () => {
  const history = new History();
  for (const at of [1_000, 2_000, 9_100]) history.push(stats(at, { framesReceived: at / 10 }));
  expect(drawn(history)?.map(([, rate]) => rate)).toEqual([null, 100, null, null]);
  history.merge(kept(2_900, [290, 390, 490, 590, 690, 790, 890]));
  const rates = drawn(history)?.map(([, rate]) => rate) ?? [];
  expect(rates).toHaveLength(9);
  for (const rate of rates.slice(1)) expect(rate).toBeCloseTo(100);
});

test("two words of about the same moment make no rate out of nothing", () => {
  const history = new History();
  history.push(stats(4_003, { framesReceived: 900 }));
  history.merge(kept(2_000, [100, 200, 300]));
  expect(drawn(history)).toEqual([
    [2, null],
    [3, 100],
    [4, 100],
  ]);
  history.push(stats(4_004, { framesReceived: 1_000 }));
  history.push(stats(5_004, { framesReceived: 1_000 }));
  expect(
    drawn(history)
      ?.slice(-2)
      .map(([at]) => at),
  ).toEqual([4.004, 5.004]);
});

test("where the server stood still there is a gap, when it was for long", () => {
  const history = new History();
  history.merge(kept(1_000, [100, null, 300, null, null, null, 700]));
  expect(drawn(history)).toEqual([
    [1, null],
    [3, 100],
    [5, null],
    [7, null],
  ]);
});

test("a server that has kept nothing changes nothing", () => {
  const history = new History();
  history.push(stats(1_000));
  history.merge(kept(500, []));
  history.merge(kept(500, [null]));
  expect(drawn(history)).toEqual([[1, null]]);
});

test("when the server's clock is set back, what it will be again is left out", () => {
  const history = new History();
  for (const at of [10_000, 11_000, 12_000, 10_500]) history.push(stats(at));
  expect(history.columns(["active"])[0]).toEqual([10, 10.5]);
});

test("no more is kept than the charts show, however long the page is open", () => {
  const history = new History();
  for (let second = 0; second < 3 * SPAN; second++) history.push(stats(second * 1_000));
  expect(history.columns(["active"])[0]?.length).toBeLessThan(SPAN + 60);
  expect(history.span).toBe(SPAN);
});

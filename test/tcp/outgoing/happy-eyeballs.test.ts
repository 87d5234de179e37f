/** Several addresses of one name, on a manual clock. */
import { beforeEach, expect, test } from "vitest";
import type { ManualClock } from "../../../src/index.js";
import { firstOpen, interleave } from "../../../src/tcp/outgoing/happy-eyeballs.js";
import { manualClock } from "../../support/serving.js";

test.each([
  [["10.0.0.1"], ["10.0.0.1"]],
  [
    ["::1", "::2", "::3", "10.0.0.1"],
    ["::1", "10.0.0.1", "::2", "::3"],
  ],
  [
    ["10.0.0.1", "::1", "10.0.0.2", "::2"],
    ["10.0.0.1", "::1", "10.0.0.2", "::2"],
  ],
])("families of %j alternate", (given, mixed) => {
  expect(interleave(given)).toEqual(mixed);
});

interface Attempt {
  readonly address: string;
  readonly at: number;
  readonly signal: AbortSignal;
  readonly open: (socket: string) => void;
  readonly fail: (error: Error) => void;
}

let clock: ManualClock;
let attempts: Attempt[];
let outcome: unknown;
let stop: AbortController;

beforeEach(() => {
  clock = manualClock();
  attempts = [];
  outcome = undefined;
  stop = new AbortController();
});

function race(...addresses: string[]): void {
  const attempt = (address: string, signal: AbortSignal) =>
    new Promise<string>((open, fail) => attempts.push({ address, at: clock.now(), signal, open, fail }));
  firstOpen(addresses, attempt, stop.signal).then(
    (open) => (outcome = open),
    (error) => (outcome = error),
  );
}

const times = () => attempts.map(({ address, at }) => [address, at]);

test("attempts begin 250 ms apart while none is open, and the first that is open wins", async () => {
  race("a", "b", "c");
  await clock.advance(600);
  expect(times()).toEqual([
    ["a", 0],
    ["b", 250],
    ["c", 500],
  ]);
  attempts[1]?.open("b's");
  await clock.advance(1_000);
  expect(outcome).toBe("b's");
  expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
  expect(clock.pending).toBe(0);
});

test("after a failure the next begins at once, and 250 ms count from there", async () => {
  race("a", "b", "c");
  await clock.advance(100);
  attempts[0]?.fail(new Error("no a"));
  await clock.advance(0);
  expect(times()).toEqual([
    ["a", 0],
    ["b", 100],
  ]);
  await clock.advance(249);
  expect(attempts).toHaveLength(2);
  await clock.advance(1);
  expect(attempts).toHaveLength(3);
});

test("when all have failed, the error is the last one, with the messages of all", async () => {
  race("a", "b");
  await clock.advance(0);
  attempts[0]?.fail(new Error("no a"));
  await clock.advance(0);
  attempts[1]?.fail(Object.assign(new Error("no b"), { code: "ECONNREFUSED" }));
  await clock.advance(0);
  expect(outcome).toMatchObject({ message: "no a; no b", code: "ECONNREFUSED" });
  expect(clock.pending).toBe(0);
});

test("an abort ends all attempts", async () => {
  race("a", "b");
  await clock.advance(300);
  stop.abort("enough");
  await clock.advance(0);
  expect([outcome, attempts.every(({ signal }) => signal.aborted), clock.pending]).toEqual([
    "enough",
    true,
    0,
  ]);
});

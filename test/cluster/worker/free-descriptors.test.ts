/** Connections for which there are file descriptors, and the warning when these are few. */
import { beforeEach, expect, it } from "vitest";
import { FreeDescriptors } from "../../../src/cluster/worker/listeners/free-descriptors.js";
import { manualClock } from "../../support/serving.js";

let said: string[];
let descriptors: FreeDescriptors;

beforeEach(() => {
  said = [];
  descriptors = new FreeDescriptors({ warn: (message) => void said.push(message) });
});

const update = (active: number, openFds: number, maxFds: number, share = 100) => {
  descriptors.update({ active, openFds, maxFds }, share);
  return descriptors.room;
};

it("room is the limit minus other open descriptors and the reserve", () => {
  expect(update(0, 20, 1_000)).toBe(948);
  // Its own connections do not change it, files of the protocol do.
  expect(update(500, 520, 1_000)).toBe(948);
  expect(update(500, 530, 1_000)).toBe(938);
  expect(said).toEqual([]);
});

it("outgoing connections take room at once, and give it back", () => {
  let outgoing = 0;
  const both = new FreeDescriptors({ warn: () => {} }, () => outgoing);
  both.update({ active: 0, openFds: 20, maxFds: 1_000 }, 100);
  expect(both.room).toBe(948);
  outgoing = 300;
  expect(both.room).toBe(648);
  // Counted again, they are among the open descriptors.
  both.update({ active: 300, openFds: 620, maxFds: 1_000 }, 100);
  expect(both.room).toBe(648);
  outgoing = 0;
  expect(both.room).toBe(948);
});

it("room is 0 when more descriptors are open than allowed, and infinite when the limit is unknown", () => {
  expect(update(0, 20, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(update(10, 40, 20)).toBe(0);
  expect(update(10, 40, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});

it("warns at most once in 10 s while there is no room for the share", async () => {
  const clock = manualClock();
  update(0, 20, 100);
  update(0, 20, 100);
  expect(said).toEqual([
    "20 of 100 file descriptors are in use: no more than 48 connections are accepted; raise the limit (ulimit -n)",
  ]);
  await clock.advance(10_000);
  update(0, 20, 200);
  expect(said).toHaveLength(1);
  update(0, 20, 100);
  expect(said).toHaveLength(2);
});

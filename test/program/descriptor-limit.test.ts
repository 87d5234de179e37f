/** How many connections a limit of descriptors allows. */
import { expect, test } from "vitest";
import { connectionRoom } from "../../src/program/descriptor-limit.js";

test("a worker keeps some descriptors for itself, and serves one client however few there are", () => {
  expect(connectionRoom(1024)).toBe(896);
  expect(connectionRoom(100)).toBe(1);
});

test("where the limit is not known, or there is none, thousands are served all the same", () => {
  expect(connectionRoom(0)).toBe(10_112);
  expect(connectionRoom(Infinity)).toBe(1_048_448);
});

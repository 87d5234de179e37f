import { expect, it } from "vitest";
import { checkChildspecs } from "../../../src/otp/supervisor/child-spec.js";
import {
  startSupervisor,
  stopSupervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";
import { listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

it("retryDelay: a restart that fails is tried again after the delay, and is not counted", async () => {
  const stage = new Stage();
  const asked: unknown[] = [];
  const retryDelay = (reason: unknown) => {
    asked.push(reason);
    return 1_000 * asked.length;
  };
  const root = await startSupervisor("root", { intensity: 1 }, [stage.child("a", { retryDelay })]);
  stage.fail("a", 3, "away");
  stage.at("a").quit("boom");
  await settle();
  expect(await whichChildren(root)).toMatchObject([{ id: "a", pid: "restarting" }]);
  await time.clock.advance(999);
  expect(stage.starts.get("a")).toBe(2);
  await time.clock.advance(1);
  expect(stage.starts.get("a")).toBe(3);
  await time.clock.advance(5_000);
  expect(stage.starts.get("a")).toBe(5);
  expect(asked).toEqual(["away", "away", "away"]);
  expect(reports.take()).toEqual([
    "root: progress a",
    "crash a boom",
    "root: child_terminated a boom",
    ...Array(3).fill("root: start_error a away"),
    "root: progress a",
  ]);
  expect(stage.at("a").alive).toBe(true);
  await stopSupervisor(root);
  expect(time.clock.pending).toBe(0);
});

it("retryDelay: `undefined` counts the failure and tries again at once, as in OTP", async () => {
  const stage = new Stage();
  const root = await startSupervisor("root", { intensity: 3 }, [
    stage.child("a", { retryDelay: () => undefined }),
  ]);
  const end = endOf(root);
  stage.fail("a", 3, "away");
  stage.at("a").quit("boom");
  await settle();
  expect(end.reason).toBe("shutdown");
  expect(stage.starts.get("a")).toBe(4);
});

it("retryDelay: a child that waits for its next attempt can be stopped, and is not tried again", async () => {
  const stage = new Stage();
  const root = await startSupervisor("root", {}, [stage.child("a", { retryDelay: () => 1_000 })]);
  stage.fail("a", 1, "away");
  stage.at("a").quit("boom");
  await settle();
  expect(await terminateChild(root, "a")).toBe("ok");
  await time.clock.advance(10_000);
  expect(stage.starts.get("a")).toBe(2);
  await stopSupervisor(root);
});

it("retryDelay must be a function", () => {
  const spec = { id: "a", start: () => "ignore" as const, retryDelay: 5 as never };
  expect(() => checkChildspecs([spec])).toThrow('child spec "a": "retryDelay" must be a function');
});

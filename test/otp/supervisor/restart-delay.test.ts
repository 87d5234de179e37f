import { describe, expect, it } from "vitest";
import { dynamicSupervisor, startChild } from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import { checkDelay, delayOf } from "../../../src/otp/supervisor/restart-delay.js";
import {
  countChildren,
  startSupervisor,
  stopSupervisor,
  supervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import { clock, settle } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";
import { listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

describe("restartDelay", () => {
  it("doubles up to its maximum, and varies by half", () => {
    const delay = checkDelay({ first: "100ms", max: "1s" });
    const waits = (random: number) => [1, 2, 3, 4, 5, 6].map((n) => delayOf(delay, n, random));
    expect(waits(1)).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(waits(0)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(checkDelay("100ms")).toEqual({ first: 100, max: 10_000 });
    expect(delayOf(undefined, 3)).toBe(0);
    expect(() => supervisor("s", { restartDelay: "soon" as never }, [])).toThrow("restartDelay must be");
    expect(() => supervisor("s", { restartDelay: { first: "2s", max: "1s" } }, [])).toThrow(
      "restartDelay must",
    );
  });

  it("restarts late; meanwhile the child is restarting, and can be stopped", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", { restartDelay: "1s" }, [stage.child("a"), stage.child("b")]);
    stage.at("a").quit("boom");
    await settle();
    expect(await whichChildren(root)).toMatchObject([{ id: "b" }, { id: "a", pid: "restarting" }]);
    expect(stage.starts.get("a")).toBe(1);
    await time.clock.advance(1000);
    expect(stage.starts.get("a")).toBe(2);
    stage.at("a").quit("boom");
    await settle();
    expect(await terminateChild(root, "a")).toBe("ok");
    await time.clock.advance(10_000);
    expect(stage.starts.get("a")).toBe(2);
    await stopSupervisor(root);
    expect(time.clock.pending).toBe(0);
  });

  it("is inside the budget: what is one too many ends the supervisor at once", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", { intensity: 1, restartDelay: "1s" }, [stage.child("a")]);
    const end = endOf(root);
    stage.at("a").quit("boom");
    await time.clock.advance(1000);
    reports.take();
    stage.at("a").quit("boom");
    await settle();
    expect(end.reason).toBe("shutdown");
    expect(reports.take()).toEqual([
      "crash a boom",
      "root: child_terminated a boom",
      "root: shutdown a reached_max_restart_intensity",
    ]);
    expect(clock.now()).toBe(1000);
  });

  it("of a dynamic supervisor", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      dynamicSupervisor("many", {
        start: (parent, id: string) => stage.start(id, parent),
        restart: "permanent",
        restartDelay: "1s",
      }),
    ]);
    const [many] = await whichChildren(root);
    await startChild(many?.pid as never, "a");
    stage.at("a").quit("boom");
    await settle();
    expect(await countChildren(many?.pid as never)).toMatchObject({ active: 0, workers: 1 });
    await time.clock.advance(1000);
    expect(await countChildren(many?.pid as never)).toMatchObject({ active: 1, workers: 1 });
    stage.at("a").quit("boom");
    await settle();
    await stopSupervisor(root);
    expect(time.clock.pending).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import type { ExitReason } from "../../../src/otp/process/exit-reason.js";
import type { Pid } from "../../../src/otp/process/pid.js";
import { type ExitMessage, processCount, processOf } from "../../../src/otp/process/process.js";
import { exit } from "../../../src/otp/process/signals.js";
import { DynamicSupervisor } from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import {
  startSupervisor,
  stopSupervisor,
  supervisor,
  terminateChild,
} from "../../../src/otp/supervisor/supervisor.js";
import { stopProcess } from "../../../src/otp/sys/sys.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf, type Plan, Stage } from "../stage.js";
import { Listener, listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

/** What is reported when one child, stopped so, ends so. */
async function stopOne(spec: object, plan?: Plan): Promise<string[]> {
  const stage = new Stage();
  const root = await startSupervisor("root", {}, [stage.child("a", spec, plan)]);
  reports.take();
  const stopping = stopSupervisor(root);
  await time.clock.advance(100_000);
  await stopping;
  return [...stage.log.slice(1), ...reports.take()];
}

describe("supervisor_SUITE, sup_stop", () => {
  it("sup_stop_timeout: a child that ignores shutdown is killed after its time, and reported", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("a", { shutdown: "1s" }, { lingers: Infinity }),
    ]);
    const end = endOf(root);
    void stopSupervisor(root);
    await time.clock.advance(999);
    expect([end.reason, stage.living()]).toEqual([undefined, ["a"]]);
    await time.clock.advance(1);
    expect(end.reason).toBe("shutdown");
    expect(reports.take().slice(1)).toEqual(["root: shutdown_error a killed"]);
    expect(time.clock.pending).toBe(0);
  });

  it("sup_stop_timeout: one that ends in its time is not waited for longer", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("a", { shutdown: "10s" }, { lingers: 3000 }),
    ]);
    const end = endOf(root);
    void stopSupervisor(root);
    await time.clock.advance(3000);
    expect(end.reason).toBe("shutdown");
    expect(time.clock.pending).toBe(0);
    expect(reports.take().slice(1)).toEqual([]);
  });

  it("sup_stop_infinity: a child without a limit is waited for, however long it takes", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("a", { shutdown: Infinity }, { lingers: 1_000_000_000 }),
    ]);
    const end = endOf(root);
    void stopSupervisor(root);
    await time.clock.advance(999_999_999);
    expect(end.reason).toBeUndefined();
    await time.clock.advance(1);
    expect(end.reason).toBe("shutdown");
  });

  it("sup_stop_brutal_kill: a child is killed at once, without a word", async () => {
    expect(await stopOne({ shutdown: "brutal_kill" }, { lingers: Infinity })).toEqual(["-a killed"]);
  });

  it("sup_stop_timeout: a time of 0 gives it no time", async () => {
    expect(await stopOne({ shutdown: 0 }, { lingers: 1 })).toEqual([
      "-a killed",
      "root: shutdown_error a killed",
    ]);
  });

  it("the default is 5 seconds for a worker and no limit for a supervisor", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("w", {}, { lingers: Infinity }),
      stage.child("s", { type: "supervisor" }, { lingers: 1_000_000 }),
    ]);
    const end = endOf(root);
    void stopSupervisor(root);
    await time.clock.advance(1_000_000);
    expect(stage.log.slice(2)).toEqual(["-s shutdown"]);
    await time.clock.advance(4999);
    expect(end.reason).toBeUndefined();
    await time.clock.advance(1);
    expect(end.reason).toBe("shutdown");
  });

  // Literally what OTP 25 reports.
  it.each<["permanent" | "transient" | "temporary", ExitReason, string | undefined]>([
    ["permanent", "shutdown", undefined],
    ["permanent", "normal", "normal"],
    ["permanent", { shutdown: "x" }, "{shutdown,x}"],
    ["permanent", "oops", "oops"],
    ["transient", "shutdown", undefined],
    ["transient", "normal", undefined],
    ["transient", { shutdown: "x" }, undefined],
    ["transient", "oops", "oops"],
    ["temporary", "normal", undefined],
    ["temporary", { shutdown: "x" }, undefined],
    ["temporary", "oops", "oops"],
  ])("a %s child that is asked to end and does so with %j: reported as %s", async (restart, leaves, word) => {
    const lines = await stopOne({ restart }, { leaves });
    const errors = lines.filter((line) => line.includes("shutdown_error"));
    expect(errors).toEqual(word === undefined ? [] : [`root: shutdown_error a ${word}`]);
  });

  it("sup_stop_race: a child that dies just before it is asked is reported with its own reason", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a"), stage.child("b"), stage.child("c")]);
    reports.take();
    const stopping = stopSupervisor(root);
    exit(stage.pid("a"), "oops");
    exit(stage.pid("b"), "shutdown");
    await stopping;
    expect(reports.lines).toEqual(["root: shutdown_error a oops"]);
    expect(stage.log.slice(3)).toEqual(["-a oops", "-b shutdown", "-c shutdown"]);
  });

  it("children are stopped one after the other, from the last to the first", async () => {
    const stage = new Stage();
    const root = await startSupervisor(
      "root",
      {},
      ["a", "b", "c"].map((id) => stage.child(id, {}, { lingers: 1000 })),
    );
    void stopSupervisor(root);
    const log: string[][] = [];
    for (let n = 0; n < 3; n++) {
      stage.take();
      await time.clock.advance(1000);
      log.push(stage.take());
    }
    expect(log).toEqual([["-c shutdown"], ["-b shutdown"], ["-a shutdown"]]);
  });

  it("child_unlink: a child that has unlinked itself is stopped all the same", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("naughty")]);
    stage.at("naughty").unlink(processOf(root) as never);
    expect(await terminateChild(root, "naughty")).toBe("ok");
    expect(stage.log).toEqual(["+naughty", "-naughty shutdown"]);
  });

  it("child_unlink: one that died unlinked is noticed when it is stopped", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("naughty")]);
    stage.at("naughty").unlink(processOf(root) as never);
    exit(stage.pid("naughty"), "kill");
    await settle();
    reports.take();
    expect(await terminateChild(root, "naughty")).toBe("ok");
    expect(reports.lines).toEqual(["root: shutdown_error naughty noproc"]);
  });

  it("tree: nested supervisors stop from the last leaf to the root", async () => {
    const stage = new Stage();
    const before = processCount();
    const root = await startSupervisor("root", {}, [
      stage.child("a"),
      supervisor("inner", {}, [
        stage.child("x"),
        supervisor("deep", {}, [stage.child("y"), stage.child("z")]),
      ]),
      stage.child("b"),
    ]);
    stage.take();
    await stopSupervisor(root);
    expect(stage.log).toEqual(["-b", "-z", "-y", "-x", "-a"].map((line) => `${line} shutdown`));
    expect(processCount()).toBe(before);
  });

  it("tree: a nested supervisor with a limit is killed with all its children", async () => {
    const stage = new Stage();
    const inner = supervisor("inner", {}, [
      stage.child("x", { shutdown: Infinity }, { lingers: Infinity }),
      stage.child("y", { shutdown: Infinity }, { lingers: 5000 }),
    ]);
    const root = await startSupervisor("root", {}, [{ ...inner, shutdown: "1s" }]);
    const end = endOf(root);
    reports.take();
    void stopSupervisor(root);
    await time.clock.advance(1000);
    expect(end.reason).toBe("shutdown");
    expect(reports.take()).toEqual(["root: shutdown_error inner killed"]);
    await time.clock.advance(5000);
    // x heeds nobody, not even the end of its parent: as in Erlang, only a kill helps with such a process.
    expect(stage.living()).toEqual(["x"]);
  });

  it("a supervisor that is killed while it stops its children says nothing more", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("a", {}, { leaves: "rude" }),
      stage.child("b", { shutdown: 1000 }, { lingers: Infinity }),
    ]);
    reports.take();
    void stopSupervisor(root);
    await settle();
    exit(root, "kill");
    await time.clock.advance(1000);
    expect(reports.lines).toEqual(["crash a rude"]);
    // As in Erlang: nobody waits for b any more, which heeds nobody, and a was told by its link.
    expect(stage.take().slice(2)).toEqual(["-a rude"]);
    expect([stage.living(), time.clock.pending]).toEqual([["b"], 0]);
  });

  it("a supervisor that is killed while it waits for a child tells it, and no timer is left", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("slow", { shutdown: "1s" }, { lingers: 500 }),
      stage.child("never", { shutdown: "1s" }, { lingers: Infinity }),
    ]);
    const stopping = terminateChild(root, "slow").catch((error) => error.reason);
    await settle();
    expect(time.clock.pending).toBe(2);
    exit(root, "kill");
    expect(await stopping).toBe("killed");
    await time.clock.advance(100_000);
    expect(stage.take().slice(2)).toEqual(["-slow shutdown"]);
    expect([stage.living(), time.clock.pending]).toEqual([["never"], 0]);
  });

  it("and dynamic ones, all of them", async () => {
    const told: string[][] = [];
    const start = (parent: Pid) => new Listener({ parent: processOf(parent) as never, trapExit: true }).pid;
    const dynamic = new DynamicSupervisor("dyn", { start, shutdown: "1s" }, undefined);
    const children = [dynamic.startNow(), dynamic.startNow()].map((pid) => processOf(pid as Pid) as Listener);
    void stopProcess(dynamic.pid, "shutdown").catch(() => {});
    await settle();
    exit(dynamic.pid, "kill");
    await time.clock.advance(10_000);
    for (const { got } of children) told.push(got.map((one) => String((one as ExitMessage).reason)));
    expect(told).toEqual([
      ["shutdown", "killed"],
      ["shutdown", "killed"],
    ]);
    expect([children.every(({ alive }) => alive), time.clock.pending]).toEqual([true, 0]);
  });

  it("stopSupervisor takes a reason, and resolves at once when the supervisor has ended", async () => {
    const root = await startSupervisor("root", {}, []);
    const end = endOf(root);
    await stopSupervisor(root, { shutdown: "maintenance" });
    expect(end.reason).toEqual({ shutdown: "maintenance" });
    await stopSupervisor(root);
  });
});

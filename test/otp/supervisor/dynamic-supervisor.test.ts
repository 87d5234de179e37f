import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { ExitReason } from "../../../src/otp/process/exit-reason.js";
import { type Pid, parsePid } from "../../../src/otp/process/pid.js";
import { processCount, processOf } from "../../../src/otp/process/process.js";
import { exit } from "../../../src/otp/process/signals.js";
import {
  DynamicSupervisor,
  type DynamicSupervisorOptions,
  dynamicSupervisor,
} from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import {
  countChildren,
  deleteChild,
  getChildspec,
  restartChild,
  startChild,
  startSupervisor,
  stopSupervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import * as sys from "../../../src/otp/sys/sys.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf, type Plan, Stage } from "../stage.js";
import { gate, Listener, listenToReports, manualClock, outcome } from "../support.js";

const time = manualClock();
const reports = listenToReports();

/** A dynamic supervisor of actors that are started by id, under a parent that obeys nobody. */
function dynamic(options: Partial<DynamicSupervisorOptions<[string, Plan?]>> = {}) {
  const stage = new Stage();
  const parent = new Listener({ trapExit: true });
  const start = (from: Pid, id: string, plan?: Plan) => stage.start(id, from, plan);
  const supervisor = new DynamicSupervisor<[string, Plan?]>("dyn", { start, ...options }, parent);
  const stop = () => exit(supervisor.pid, "shutdown", parent.pid);
  return { stage, supervisor, pid: supervisor.pid, parent, stop, end: endOf(supervisor.pid) };
}

describe("supervisor_SUITE, simple_one_for_one", () => {
  it("child_adm_simple: children are started with arguments of their own, and known by pid alone", async () => {
    const { stage, pid } = dynamic();
    expect(await startChild(pid, "a")).toBe(stage.pid("a"));
    expect(await startChild(pid, "b")).toBe(stage.pid("b"));
    expect(await whichChildren(pid)).toEqual([
      { id: undefined, pid: stage.pid("b"), type: "worker" },
      { id: undefined, pid: stage.pid("a"), type: "worker" },
    ]);
    expect(await countChildren(pid)).toEqual({ specs: 1, active: 2, supervisors: 0, workers: 2 });
    expect(await restartChild(pid, "a")).toEqual({ error: "simple_one_for_one" });
    expect(await deleteChild(pid, "a")).toBe("simple_one_for_one");
    expect(await terminateChild(pid, "a")).toBe("simple_one_for_one");
    expect(await getChildspec(pid, stage.pid("a"))).toMatchObject({ restart: "temporary", shutdown: 5000 });
    expect(await getChildspec(pid, "a")).toBe("not_found");
  });

  it("child_adm_simple: terminateChild of a child, of another process and of one that has ended", async () => {
    const { stage, pid } = dynamic();
    await startChild(pid, "a");
    await startChild(pid, "b");
    const [a, stranger] = [stage.pid("a"), new Listener()];
    expect(await terminateChild(pid, a)).toBe("ok");
    expect(await terminateChild(pid, a)).toBe("ok");
    expect(await terminateChild(pid, stranger.pid)).toBe("not_found");
    expect(stranger.alive).toBe(true);
    expect(await terminateChild(pid, parsePid(String(stage.pid("b"))) as Pid)).toBe("ok");
    expect(stage.log).toEqual(["+a", "+b", "-a shutdown", "-b shutdown"]);
    expect(await countChildren(pid)).toMatchObject({ active: 0 });
    expect(reports.lines).toEqual([]);
  });

  it("a temporary child that has unlinked itself is a child all the same, until it is terminated", async () => {
    const { stage, supervisor, pid } = dynamic();
    for (const id of ["a", "b", "c"]) await startChild(pid, id);
    stage.at("b").unlink(supervisor);
    supervisor.unlink(stage.at("c"));
    stage.at("c").quit("normal");
    await settle();
    expect(supervisor.active).toBe(3);
    expect(await terminateChild(pid, stage.pid("b"))).toBe("ok");
    expect(await terminateChild(pid, stage.pid("c"))).toBe("ok");
    expect(await whichChildren(pid)).toMatchObject([{ pid: stage.pid("a") }]);
    expect(stage.living()).toEqual(["a"]);
    expect(reports.lines).toEqual(["dyn: shutdown_error child noproc"]);
  });

  it("a temporary child that links itself again is counted once, and gone when it ends", async () => {
    const { stage, supervisor, pid } = dynamic();
    await startChild(pid, "a");
    stage.at("a").unlink(supervisor);
    stage.at("a").link(supervisor);
    expect(supervisor.active).toBe(1);
    stage.at("a").quit("oops");
    await settle();
    expect([supervisor.active, reports.supervisor.length]).toEqual([0, 1]);
  });

  it("a process that was started elsewhere is a child like any other", async () => {
    const elsewhere = new Listener();
    const stranger = new Listener({ parent: elsewhere });
    const { supervisor, pid, stop } = dynamic({ start: () => stranger.pid });
    stranger.link(supervisor);
    expect(await startChild(pid, "a")).toBe(stranger.pid);
    expect(await startChild(pid, "a")).toBe(stranger.pid);
    expect(supervisor.active).toBe(1);
    stop();
    await settle();
    expect([stranger.end, elsewhere.end]).toEqual(["shutdown", "shutdown"]);
  });

  it("a child that is handed back by another start is one child, and gone when it ends", async () => {
    const children = new Map<string, Listener>();
    const { supervisor, pid } = dynamic({
      maxChildren: 2,
      start: (parent, id) => {
        const known = children.get(id) ?? new Listener({ parent: processOf(parent) as never });
        children.set(id, known);
        return known.pid;
      },
    });
    expect(await startChild(pid, "a")).toBe(await startChild(pid, "a"));
    expect([supervisor.active, (await whichChildren(pid)).length]).toEqual([1, 1]);
    const a = children.get("a") as Listener;
    a.unlink(supervisor);
    a.link(supervisor);
    await startChild(pid, "a");
    expect(supervisor.active).toBe(1);
    a.quit("normal");
    await settle();
    expect([supervisor.active, (await whichChildren(pid)).length]).toEqual([0, 0]);
  });

  it("a child whose exit is only said is forgotten, as OTP does", async () => {
    const { stage, supervisor, pid } = dynamic();
    await startChild(pid, "a");
    exit(pid, "boom", stage.pid("a"));
    await settle();
    expect([supervisor.active, stage.living()]).toEqual([0, ["a"]]);
    expect(reports.lines).toEqual(["dyn: child_terminated child boom"]);
  });

  it("a child that it did not start itself but is linked to by birth is none of its children", async () => {
    const { supervisor, pid } = dynamic();
    await startChild(pid, "a");
    const helper = new Listener({ parent: supervisor });
    expect([supervisor.active, (await whichChildren(pid)).length]).toEqual([1, 1]);
    helper.quit("normal");
    await settle();
    expect(supervisor.active).toBe(1);
  });

  it("while it is suspended the ends of its children wait", async () => {
    const { stage, supervisor, pid } = dynamic();
    await startChild(pid, "a");
    await sys.suspend(pid);
    stage.at("a").quit("normal");
    await settle();
    expect(supervisor.active).toBe(1);
    await sys.resume(pid);
    await settle();
    expect(supervisor.active).toBe(0);
  });

  it("external_start_no_progress_log: there are no progress reports for dynamic children", async () => {
    const { pid } = dynamic({ restart: "permanent" });
    await startChild(pid, "a");
    expect(reports.lines).toEqual([]);
  });

  it("child_returns_error_simple: a start that fails says why, and is not kept", async () => {
    const { stage, pid } = dynamic();
    stage.fail("a");
    expect(await startChild(pid, "a")).toEqual({ error: "boom" });
    expect(await countChildren(pid)).toMatchObject({ active: 0, workers: 0 });
    expect(reports.lines).toEqual([]);
  });

  it("sup_start_ignore_temporary_child_start_child_simple, ignore_permanent: a start that is ignored leaves nothing", async () => {
    for (const restart of ["temporary", "permanent"] as const) {
      const { stage, pid } = dynamic({ restart });
      stage.fail("a", 1, "ignore");
      expect(await startChild(pid, "a")).toBeUndefined();
      expect(await whichChildren(pid)).toEqual([]);
    }
  });

  it.each<["permanent" | "transient" | "temporary", ExitReason, boolean, boolean]>([
    ["permanent", "normal", true, true],
    ["permanent", "oops", true, true],
    ["transient", "normal", false, false],
    ["transient", { shutdown: "x" }, false, false],
    ["transient", "oops", true, true],
    ["temporary", "normal", false, false],
    ["temporary", "oops", false, true],
  ])("a %s child that ends with %j: restarted %s, reported %s", async (restart, reason, again, reported) => {
    const { stage, pid } = dynamic({ restart });
    await startChild(pid, "a");
    const dead = stage.pid("a");
    processOf(dead)?.receiveExit(dead, reason);
    await settle();
    expect(stage.starts.get("a")).toBe(again ? 2 : 1);
    expect(await countChildren(pid)).toMatchObject({ active: again ? 1 : 0 });
    expect(reports.supervisor.map(({ errorContext, offender }) => [errorContext, offender.pid])).toEqual(
      reported ? [["child_terminated", dead]] : [],
    );
    expect(reports.progress).toEqual([]);
  });

  it("simple_one_for_one_extra: a child is restarted with the arguments it was started with", async () => {
    const seen: unknown[][] = [];
    const stage = new Stage();
    const supervisor = new DynamicSupervisor<[string, number]>(
      "dyn",
      {
        restart: "permanent",
        start: (parent, id, n) => {
          seen.push([id, n]);
          return stage.start(id, parent);
        },
      },
      undefined,
    );
    supervisor.startNow("a", 1);
    supervisor.startNow("b", 2);
    exit(stage.pid("a"), "kill");
    await settle();
    expect(seen).toEqual([
      ["a", 1],
      ["b", 2],
      ["a", 1],
    ]);
  });

  it("simple_one_for_one: without a start of its own it takes whole specs, and a bad one is the caller's mistake", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [dynamicSupervisor("dyn", {})]);
    const [{ pid }] = (await whichChildren(root)) as never as [{ pid: Pid }];
    expect(await startChild(pid, stage.child("a"))).toBe(stage.pid("a"));
    expect(await outcome(startChild(pid, { id: "b" }))).toMatchObject({ error: { name: "TypeError" } });
    await stopSupervisor(root);
    expect(stage.log).toEqual(["+a", "-a shutdown"]);
  });

  it("simple_one_for_one_escalation: the intensity is over all children, and the others are stopped", async () => {
    const { stage, pid, end } = dynamic({ restart: "permanent", intensity: 2 });
    for (const id of ["a", "b", "c"]) await startChild(pid, id);
    for (const id of ["a", "b"]) {
      exit(stage.pid(id), "kill");
      await settle();
    }
    expect(end.reason).toBeUndefined();
    reports.take();
    const dead = stage.pid("c");
    exit(dead, "kill");
    await settle();
    expect([end.reason, stage.living()]).toEqual(["shutdown", []]);
    expect(reports.take()).toEqual([
      "dyn: child_terminated child killed",
      "dyn: shutdown child reached_max_restart_intensity",
    ]);
    expect(reports.supervisor.at(-1)?.offender.pid).toBe(dead);
  });

  it("simple_one_for_one_corruption: the exit of a process that is no child changes nothing", async () => {
    const { pid, supervisor, end } = dynamic({ restart: "permanent", intensity: 0 });
    const stranger = new Listener();
    stranger.link(supervisor);
    stranger.quit("oops");
    processOf(pid)?.deliver("hello");
    await settle();
    expect(end.reason).toBeUndefined();
  });

  it("simple_one_for_one_restart_ignore: a restart that is ignored ends the matter", async () => {
    const { stage, pid, end } = dynamic({ restart: "permanent" });
    await startChild(pid, "a");
    stage.fail("a", 1, "ignore");
    exit(stage.pid("a"), "kill");
    await settle();
    expect(await whichChildren(pid)).toEqual([]);
    expect(end.reason).toBeUndefined();
  });

  it("hanging_restart_loop_simple: a restart that fails is tried again and counts; it can be called off by the dead pid", async () => {
    const { stage, pid, end } = dynamic({ restart: "permanent", intensity: 1_000_000_000 });
    await startChild(pid, "a");
    await startChild(pid, "b");
    const dead = stage.pid("a");
    stage.fail("a", Infinity);
    exit(dead, "kill");
    await new Promise((resolve) => setImmediate(resolve));
    expect(await countChildren(pid)).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 2 });
    expect(await whichChildren(pid)).toEqual([
      { id: undefined, pid: "restarting", type: "worker" },
      { id: undefined, pid: stage.pid("b"), type: "worker" },
    ]);
    expect(await terminateChild(pid, dead)).toBe("ok");
    const tries = stage.starts.get("a");
    await settle();
    expect(stage.starts.get("a")).toBe(tries);
    expect(await countChildren(pid)).toMatchObject({ active: 1, workers: 1 });
    expect(end.reason).toBeUndefined();
    expect(reports.supervisor.every(({ offender }) => offender.pid === dead)).toBe(true);
  });

  it("a restart that fails for ever reaches the intensity", async () => {
    const { stage, pid, end } = dynamic({ restart: "transient", intensity: 2 });
    await startChild(pid, "a");
    const dead = stage.pid("a");
    stage.fail("a", Infinity);
    exit(dead, "kill");
    await settle();
    expect(reports.lines).toEqual([
      "dyn: child_terminated child killed",
      "dyn: start_error child boom",
      "dyn: start_error child boom",
      "dyn: shutdown child reached_max_restart_intensity",
    ]);
    expect(reports.supervisor.map(({ offender }) => offender.pid)).toEqual([dead, dead, dead, dead]);
    expect(end.reason).toBe("shutdown");
  });
});

describe("supervisor_SUITE, the stop of dynamic children", () => {
  it("simple_one_for_one_shutdown: all are asked at once, and waited for together", async () => {
    const { stage, pid, stop, end } = dynamic({ shutdown: "5s" });
    for (const [id, lingers] of [
      ["a", 3000],
      ["b", 1000],
      ["c", 2000],
    ] as const)
      await startChild(pid, id, { lingers });
    stage.take();
    stop();
    await time.clock.advance(2999);
    expect([stage.log, end.reason]).toEqual([["-b shutdown", "-c shutdown"], undefined]);
    await time.clock.advance(1);
    expect(end.reason).toBe("shutdown");
    expect(reports.lines).toEqual([]);
    expect(time.clock.pending).toBe(0);
  });

  it("sup_stop_timeout_dynamic: one timer for all; the survivors are killed, and reported with their number", async () => {
    const { stage, pid, stop, end } = dynamic({ shutdown: "2s" });
    await startChild(pid, "good", { lingers: 100 });
    for (const id of ["bad1", "bad2", "bad3"]) await startChild(pid, id, { lingers: Infinity });
    stop();
    await settle();
    // The lingering actor's own, and the one that the supervisor has for all of them.
    expect(time.clock.pending).toBe(2);
    await time.clock.advance(1999);
    expect(end.reason).toBeUndefined();
    await time.clock.advance(1);
    expect([end.reason, stage.living()]).toEqual(["shutdown", []]);
    expect(reports.lines).toEqual(["dyn: shutdown_error 3 killed"]);
    expect(reports.supervisor[0]?.offender).toMatchObject({ pid: undefined, id: undefined, nbChildren: 3 });
  });

  it("sup_stop_brutal_kill_dynamic: they are killed at once, and that is no error", async () => {
    const { stage, pid, stop, end } = dynamic({ shutdown: "brutal_kill" });
    for (const id of ["a", "b"]) await startChild(pid, id, { lingers: Infinity });
    stop();
    await settle();
    expect([end.reason, stage.log.slice(2)]).toEqual(["shutdown", ["-a killed", "-b killed"]]);
    expect(reports.lines).toEqual([]);
  });

  it("sup_stop_non_shutdown_exit_dynamic: other ends are grouped by reason, one report for each", async () => {
    const { pid, stop } = dynamic();
    const leaves: ExitReason[] = [
      "oops",
      { failed: 1 },
      "normal",
      { failed: 1 },
      { shutdown: "x" },
      "oops",
      { failed: 2 },
    ];
    for (const [n, leave] of leaves.entries()) await startChild(pid, `c${n}`, { leaves: leave });
    stop();
    await settle();
    const errors = reports.lines.filter((line) => line.startsWith("dyn"));
    expect(errors).toEqual([
      "dyn: shutdown_error 2 oops",
      "dyn: shutdown_error 2 {failed,1}",
      "dyn: shutdown_error 1 {failed,2}",
    ]);
  });

  // As on OTP 25: what is permanent is only to end with the word it was asked with.
  it.each<["permanent" | "transient", ExitReason, string | undefined]>([
    ["permanent", "shutdown", undefined],
    ["permanent", "normal", "normal"],
    ["permanent", { shutdown: "x" }, "{shutdown,x}"],
    ["transient", "normal", undefined],
    ["transient", { shutdown: "x" }, undefined],
  ])("a %s child that is asked to end and does so with %j: reported as %s", async (restart, leaves, word) => {
    const { pid, stop } = dynamic({ restart });
    await startChild(pid, "a", { leaves });
    stop();
    await settle();
    expect(reports.lines).toEqual(word === undefined ? [] : [`dyn: shutdown_error 1 ${word}`]);
  });

  it("children that died just before are counted with their own reason", async () => {
    const { stage, pid, stop } = dynamic();
    for (const id of ["a", "b", "c"]) await startChild(pid, id);
    stop();
    exit(stage.pid("a"), "kill");
    exit(stage.pid("b"), "shutdown");
    await settle();
    expect(reports.lines).toEqual(["dyn: shutdown_error 1 killed"]);
  });

  it("while it stops no child is started any more, and none is left behind", async () => {
    const before = processCount();
    const { stage, supervisor, stop, end, parent } = dynamic({ shutdown: "2s" });
    supervisor.startNow("a", { lingers: 1000 });
    stop();
    await settle();
    expect(supervisor.startNow("b")).toEqual({ error: "shutdown" });
    await time.clock.advance(1000);
    expect([end.reason, stage.starts.get("b")]).toEqual(["shutdown", undefined]);
    expect(supervisor.startNow("c")).toEqual({ error: "shutdown" });
    parent.quit("normal");
    expect(processCount()).toBe(before);
  });

  it("ends with the reason of its parent", async () => {
    const { supervisor, parent, end, stage } = dynamic();
    supervisor.startNow("a");
    parent.quit("oops");
    await settle();
    expect([end.reason, stage.living()]).toEqual(["oops", []]);
  });
});

describe("maxChildren", () => {
  it("refuses one more, and has room again when one has ended", async () => {
    const { stage, supervisor } = dynamic({ maxChildren: 2 });
    supervisor.startNow("a");
    supervisor.startNow("b");
    expect(supervisor.startNow("c")).toEqual({ error: "max_children" });
    expect(await startChild(supervisor.pid, "c")).toEqual({ error: "max_children" });
    exit(stage.pid("a"), "kill");
    await settle();
    expect(supervisor.startNow("c")).toBe(stage.pid("c"));
    expect(supervisor.active).toBe(2);
  });

  it("holds for starts that take their time", async () => {
    const { promise, open } = gate();
    const stage = new Stage();
    const start = (parent: Pid, id: string) => promise.then(() => stage.start(id, parent));
    const supervisor = new DynamicSupervisor<[string]>("dyn", { maxChildren: 2, start }, undefined);
    const results = ["a", "b", "c"].map(async (id) => supervisor.startNow(id));
    open();
    expect(await Promise.all(results)).toEqual([stage.pid("a"), stage.pid("b"), { error: "max_children" }]);
  });

  it("keeps the place of a child that waits for its restart", async () => {
    const { stage, supervisor } = dynamic({ maxChildren: 1, restart: "permanent", intensity: 1_000_000 });
    supervisor.startNow("a");
    stage.fail("a", Infinity);
    exit(stage.pid("a"), "kill");
    await new Promise((resolve) => setImmediate(resolve));
    expect(supervisor.startNow("b")).toEqual({ error: "max_children" });
    stage.fail("a", 0);
    await settle();
    expect([supervisor.active, stage.living()]).toEqual([1, ["a"]]);
  });
});

describe("starts that take their time", () => {
  it("a child that ends before its start is through is not taken for a living one", async () => {
    const { promise, open } = gate();
    const stage = new Stage();
    const start = async (parent: Pid, id: string) => {
      const pid = stage.start(id, parent);
      stage.at(id).quit("brief");
      await promise;
      return pid as Pid;
    };
    const supervisor = new DynamicSupervisor<[string]>("dyn", { start }, undefined);
    const result = supervisor.startNow("a");
    await settle();
    open();
    await result;
    await settle();
    expect(supervisor.active).toBe(0);
    expect(reports.lines).toEqual(["crash a brief", "dyn: child_terminated child brief"]);
  });

  it("one that comes too late, after the supervisor has ended, is not left alone", async () => {
    const { promise, open } = gate();
    const stage = new Stage();
    const start = (parent: Pid, id: string) =>
      promise.then(() => stage.start(id, parent, { lingers: Infinity }));
    const supervisor = new DynamicSupervisor<[string]>("dyn", { start }, undefined);
    const result = supervisor.startNow("late");
    exit(supervisor.pid, "kill");
    open();
    expect(await result).toEqual({ error: "shutdown" });
    expect(stage.living()).toEqual([]);
  });

  it("one that comes while the supervisor stops is stopped too", async () => {
    const { promise, open } = gate();
    const parent = new Listener({ trapExit: true });
    const stage = new Stage();
    const start = (from: Pid, id: string) =>
      id === "late"
        ? promise.then(() => stage.start(id, from, { lingers: 0 }))
        : stage.start(id, from, { lingers: 1000 });
    const supervisor = new DynamicSupervisor<[string]>("dyn", { start }, parent);
    supervisor.startNow("a");
    const result = supervisor.startNow("late");
    exit(supervisor.pid, "shutdown", parent.pid);
    await settle();
    open();
    expect(await result).toEqual({ error: "shutdown" });
    await settle();
    expect(stage.living()).toEqual(["a"]);
    await time.clock.advance(1000);
    expect([supervisor.alive, stage.living()]).toEqual([false, []]);
  });

  it("under a parent that has ended there is no dynamic supervisor", () => {
    const parent = new Listener();
    parent.quit("normal");
    expect(() => dynamicSupervisor("dyn", {}).start(parent.pid)).toThrow("has exited");
  });
});

describe("significant_simple", () => {
  it("any_significant: the first child that ends without a restart ends the supervisor", async () => {
    const { stage, supervisor, end } = dynamic({
      restart: "transient",
      significant: true,
      autoShutdown: "any_significant",
    });
    for (const id of ["a", "b"]) supervisor.startNow(id);
    exit(stage.pid("a"), "kill");
    await settle();
    expect(end.reason).toBeUndefined();
    stage.at("a").quit("normal");
    await settle();
    expect([end.reason, stage.living()]).toEqual(["shutdown", []]);
  });

  it("all_significant: the last one does; one that was terminated by hand does not", async () => {
    const { stage, supervisor, end, pid } = dynamic({
      restart: "temporary",
      significant: true,
      autoShutdown: "all_significant",
    });
    supervisor.startNow("a");
    await terminateChild(pid, stage.pid("a"));
    await settle();
    expect(end.reason).toBeUndefined();
    for (const id of ["b", "c"]) supervisor.startNow(id);
    stage.at("b").quit("normal");
    await settle();
    expect(end.reason).toBeUndefined();
    stage.at("c").quit("normal");
    await settle();
    expect(end.reason).toBe("shutdown");
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

describe("options", () => {
  it.each<[string, object, RegExp]>([
    [
      "an unknown one",
      { maxChilds: 1 },
      /supervisor dyn: unknown option "maxChilds"; the options are start, maxChildren,/,
    ],
    [
      "maxChildren",
      { maxChildren: 1.5 },
      /supervisor dyn: maxChildren must be a whole number from 0 up, or Infinity, got 1.5/,
    ],
    ["a negative maxChildren", { maxChildren: -1 }, /maxChildren must be/],
    [
      "restart",
      { restart: "sometimes" },
      /child spec "dyn": "restart" must be permanent, transient, temporary/,
    ],
    ["shutdown", { shutdown: "late" }, /"shutdown" must be/],
    ["intensity", { intensity: -1 }, /supervisor dyn: intensity must be a whole number/],
    ["period", { period: "1.5s" }, /supervisor dyn: period must be whole seconds/],
    ["significant where nothing heeds it", { significant: true }, /so set autoShutdown/],
  ])("%s is refused before anything starts", (_, options, words) => {
    expect(() => dynamicSupervisor("dyn", options)).toThrow(words);
    const before = processCount();
    expect(() => new DynamicSupervisor("dyn", options, undefined)).toThrow(words);
    expect(processCount()).toBe(before);
  });

  it.each(["temporary", "permanent"] as const)(
    "do_not_save_start_parameters: %s children",
    async (restart) => {
      const supervisor = new DynamicSupervisor<[object]>(
        "dyn",
        { restart, start: (parent) => new Stage().start("a", parent) },
        undefined,
      );
      const kept = new WeakRef({});
      supervisor.startNow(kept.deref() as object);
      await settle();
      collectGarbage();
      expect(kept.deref() === undefined).toBe(restart === "temporary");
      expect(supervisor.active).toBe(1);
    },
  );

  it("simple_one_for_one_scale_many_temporary_children: ten thousand come and go", async () => {
    const { supervisor, stage, stop, end } = dynamic();
    for (let n = 0; n < 10_000; n++) supervisor.startNow(`c${n}`);
    for (let n = 0; n < 5_000; n++) stage.at(`c${n}`).quit("normal");
    await settle();
    expect(supervisor.active).toBe(5_000);
    stop();
    await settle();
    expect([end.reason, stage.living()]).toEqual(["shutdown", []]);
  });
});

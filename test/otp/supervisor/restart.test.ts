import { describe, expect, it } from "vitest";
import type { ExitReason } from "../../../src/otp/process/exit-reason.js";
import { exit } from "../../../src/otp/process/signals.js";
import {
  countChildren,
  startChild,
  startSupervisor,
  stopSupervisor,
  supervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import type { Strategy } from "../../../src/otp/supervisor/supervisor-flags.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";
import { listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

/** A supervisor of children a, b, c, with the log and the reports of the start taken. */
async function abc(strategy: Strategy, flags: object = {}, specs: Record<string, object> = {}) {
  const stage = new Stage();
  const root = await startSupervisor(
    "root",
    { strategy, ...flags },
    ["a", "b", "c"].map((id) => stage.child(id, specs[id])),
  );
  stage.take();
  reports.take();
  return { stage, root, end: endOf(root) };
}

const EXITS: readonly [string, ExitReason][] = [
  ["normal", "normal"],
  ["shutdown", "shutdown"],
  ["{shutdown,_}", { shutdown: "why" }],
  ["abnormal", "oops"],
  ["killed", "killed"],
];

describe("supervisor_SUITE, restart types", () => {
  for (const [name, reason] of EXITS) {
    const normal = !["abnormal", "killed"].includes(name);
    const words = name === "{shutdown,_}" ? "{shutdown,why}" : String(reason);

    it(`permanent_${name}: reported and started again`, async () => {
      const { stage, root } = await abc("one_for_one");
      stage.at("b").quit(reason);
      await settle();
      expect(stage.take()).toEqual([`-b ${words}`, "+b"]);
      expect(reports.lines.filter((line) => !line.startsWith("crash"))).toEqual([
        `root: child_terminated b ${words}`,
        "root: progress b",
      ]);
      expect(await countChildren(root)).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3 });
    });

    it(`transient_${name}: ${normal ? "kept without a process, and not a word" : "reported and started again"}`, async () => {
      const { stage, root } = await abc("one_for_one", {}, { b: { restart: "transient" } });
      stage.at("b").quit(reason);
      await settle();
      expect(stage.take()).toEqual(normal ? [`-b ${words}`] : [`-b ${words}`, "+b"]);
      expect(reports.lines.filter((line) => !line.startsWith("crash"))).toEqual(
        normal ? [] : [`root: child_terminated b ${words}`, "root: progress b"],
      );
      expect(await countChildren(root)).toMatchObject({ specs: 3, active: normal ? 2 : 3 });
      expect((await whichChildren(root))[1]).toEqual({
        id: "b",
        pid: normal ? undefined : stage.pid("b"),
        type: "worker",
      });
    });

    it(`temporary_${name}: forgotten${normal ? ", and not a word" : " after a report"}`, async () => {
      const { stage, root } = await abc("one_for_one", {}, { b: { restart: "temporary" } });
      stage.at("b").quit(reason);
      await settle();
      expect(stage.take()).toEqual([`-b ${words}`]);
      expect(reports.lines.filter((line) => !line.startsWith("crash"))).toEqual(
        normal ? [] : [`root: child_terminated b ${words}`],
      );
      expect((await whichChildren(root)).map(({ id }) => id)).toEqual(["c", "a"]);
    });
  }

  it("neither transient nor temporary children count when they end well, however often", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", { intensity: 0 }, []);
    for (let n = 0; n < 20; n++) {
      await startChild(root, stage.child(`t${n}`, { restart: n % 2 ? "transient" : "temporary" }));
      stage.at(`t${n}`).quit("normal");
    }
    await settle();
    expect(await countChildren(root)).toMatchObject({ specs: 10, active: 0 });
  });
});

describe("supervisor_SUITE, strategies", () => {
  it("one_for_one: only the child that ended is started again", async () => {
    const { stage } = await abc("one_for_one");
    exit(stage.pid("b"), "kill");
    await settle();
    expect(stage.log).toEqual(["-b killed", "+b"]);
  });

  it("one_for_all: the others are stopped in reverse order, then all are started in order", async () => {
    const { stage } = await abc("one_for_all");
    exit(stage.pid("b"), "kill");
    await settle();
    expect(stage.log).toEqual(["-b killed", "-c shutdown", "-a shutdown", "+a", "+b", "+c"]);
    expect(reports.lines).toEqual([
      "root: child_terminated b killed",
      "root: progress a",
      "root: progress b",
      "root: progress c",
    ]);
  });

  it("rest_for_one: those that were started after it are stopped in reverse order, then started in order", async () => {
    const { stage } = await abc("rest_for_one");
    exit(stage.pid("b"), "kill");
    await settle();
    expect(stage.log).toEqual(["-b killed", "-c shutdown", "+b", "+c"]);
    stage.take();
    exit(stage.pid("c"), "kill");
    await settle();
    expect(stage.take()).toEqual(["-c killed", "+c"]);
    exit(stage.pid("a"), "kill");
    await settle();
    expect(stage.take()).toEqual(["-a killed", "-c shutdown", "-b shutdown", "+a", "+b", "+c"]);
  });

  it.each<[Strategy, string[]]>([
    ["one_for_one", ["-a killed", "+a"]],
    ["one_for_all", ["-a killed", "-c shutdown", "-b shutdown", "+a", "+c"]],
    ["rest_for_one", ["-a killed", "-c shutdown", "-b shutdown", "+a", "+c"]],
  ])(
    "temporary_bystander: with %s a temporary sibling that is stopped is forgotten",
    async (strategy, log) => {
      const { stage, root } = await abc(strategy, {}, { b: { restart: "temporary" } });
      exit(stage.pid("a"), "kill");
      await settle();
      expect(stage.log).toEqual(log);
      const left = strategy === "one_for_one" ? ["c", "b", "a"] : ["c", "a"];
      expect((await whichChildren(root)).map(({ id }) => id)).toEqual(left);
    },
  );

  it("transient siblings are started again with the group, also those that had ended well before", async () => {
    const { stage } = await abc("one_for_all", {}, { b: { restart: "transient" } });
    stage.at("b").quit("normal");
    await settle();
    exit(stage.pid("a"), "kill");
    await settle();
    expect(stage.log).toEqual(["-b normal", "-a killed", "-c shutdown", "+a", "+b", "+c"]);
  });

  it("siblings that do not end as they are asked to are reported before the group starts again", async () => {
    const stage = new Stage();
    await startSupervisor("root", { strategy: "one_for_all" }, [
      stage.child("a"),
      stage.child("b", { shutdown: 100 }, { lingers: Infinity }),
      stage.child("c", {}, { leaves: "rude" }),
    ]);
    reports.take();
    exit(stage.pid("a"), "kill");
    await time.clock.advance(100);
    expect(reports.lines).toEqual([
      "root: child_terminated a killed",
      "crash c rude",
      "root: shutdown_error c rude",
      "root: shutdown_error b killed",
      "root: progress a",
      "root: progress b",
      "root: progress c",
    ]);
  });

  it("a sibling that died in the same moment is reported with its own reason, and counted once", async () => {
    const { stage, root } = await abc("one_for_all", { intensity: 1 });
    exit(stage.pid("a"), "kill");
    exit(stage.pid("c"), "oops");
    await settle();
    expect(stage.log).toEqual(["-a killed", "-c oops", "-b shutdown", "+a", "+b", "+c"]);
    expect(reports.lines).toEqual([
      "root: child_terminated a killed",
      "root: shutdown_error c oops",
      "root: progress a",
      "root: progress b",
      "root: progress c",
    ]);
    expect(await countChildren(root)).toMatchObject({ active: 3 });
  });

  it("order_of_children: whichChildren keeps the order of the specs, newest first, through any restart", async () => {
    const { stage, root } = await abc("rest_for_one");
    await startChild(root, stage.child("d"));
    for (const id of ["b", "d", "a", "c"]) {
      exit(stage.pid(id), "kill");
      await settle();
      expect((await whichChildren(root)).map((child) => child.id)).toEqual(["d", "c", "b", "a"]);
    }
  });
});

describe("supervisor_SUITE, escalation", () => {
  it.each<[Strategy, string[]]>([
    ["one_for_one", ["-b killed", "-c shutdown", "-a shutdown"]],
    ["one_for_all", ["-b killed", "-c shutdown", "-a shutdown"]],
    ["rest_for_one", ["-b killed", "-c shutdown", "-a shutdown"]],
  ])("%s_escalation: with an intensity of 0 the first restart is one too many", async (strategy, log) => {
    const { stage, end } = await abc(strategy, { intensity: 0 });
    const dead = stage.pid("b");
    exit(dead, "kill");
    await settle();
    expect(stage.log).toEqual(log);
    expect(end.reason).toBe("shutdown");
    expect(reports.lines).toEqual([
      "root: child_terminated b killed",
      "root: shutdown b reached_max_restart_intensity",
    ]);
    expect(reports.supervisor.map((report) => report.offender.pid)).toEqual([dead, dead]);
  });

  it("five restarts in 60 seconds are survived, the sixth ends it: the tutorial's promise", async () => {
    const { stage, end } = await abc("one_for_one");
    for (let n = 0; n < 5; n++) {
      exit(stage.pid("b"), "kill");
      await time.clock.advance(10_000);
    }
    expect([end.reason, stage.living()]).toEqual([undefined, ["a", "b", "c"]]);
    stage.take();
    reports.take();
    exit(stage.pid("b"), "kill");
    await settle();
    expect(stage.log).toEqual(["-b killed", "-c shutdown", "-a shutdown"]);
    expect(reports.lines).toEqual([
      "root: child_terminated b killed",
      "root: shutdown b reached_max_restart_intensity",
    ]);
    expect(end.reason).toBe("shutdown");
  });

  it("the sixth restart is fine again when the first is a minute and a second ago", async () => {
    const { stage, end } = await abc("one_for_one");
    for (let n = 0; n < 6; n++) {
      exit(stage.pid("b"), "kill");
      await time.clock.advance(n === 4 ? 61_000 : 0);
    }
    expect(end.reason).toBeUndefined();
  });

  // Observed on OTP 25: what counts are whole seconds of the clock.
  it.each([
    [50, 1900, "shutdown"],
    [950, 1100, undefined],
    [950, 1020, "shutdown"],
    [50, 2000, undefined],
  ])(
    "multiple_restarts: intensity 1 in 1 s, from .%d s, kills %d ms apart: ends with %s",
    async (phase, apart, reason) => {
      const { stage, end } = await abc("one_for_one", { intensity: 1, period: "1s" });
      await time.clock.advance(phase);
      exit(stage.pid("a"), "kill");
      await time.clock.advance(apart);
      exit(stage.pid("a"), "kill");
      await settle();
      expect(end.reason).toBe(reason);
    },
  );

  it("multiple_restarts: one counter for all children, and a group counts once", async () => {
    const { stage, end } = await abc("one_for_all", { intensity: 3 });
    for (const id of ["a", "b", "c"]) {
      exit(stage.pid(id), "kill");
      await settle();
    }
    expect(end.reason).toBeUndefined();
    exit(stage.pid("a"), "kill");
    await settle();
    expect(end.reason).toBe("shutdown");
  });

  it("tree: a supervisor that gives up is restarted by its own, whose intensity is its own", async () => {
    const stage = new Stage();
    const inner = supervisor("inner", { intensity: 1 }, [stage.child("a"), stage.child("b")]);
    const root = await startSupervisor("root", { intensity: 1 }, [stage.child("x"), inner]);
    const end = endOf(root);
    stage.take();
    reports.take();
    const killTwice = async () => {
      for (let n = 0; n < 2; n++) {
        exit(stage.pid("a"), "kill");
        await settle();
      }
    };
    await killTwice();
    expect(reports.take()).toEqual([
      "inner: child_terminated a killed",
      "inner: progress a",
      "inner: child_terminated a killed",
      "inner: shutdown a reached_max_restart_intensity",
      "root: child_terminated inner shutdown",
      "inner: progress a",
      "inner: progress b",
      "root: progress inner",
    ]);
    expect(end.reason).toBeUndefined();
    await killTwice();
    expect(reports.take().at(-1)).toBe("root: shutdown inner reached_max_restart_intensity");
    expect(end.reason).toBe("shutdown");
    expect(stage.living()).toEqual([]);
  });
});

describe("supervisor_SUITE, restarts that fail", () => {
  it("a failed restart is reported with the dead pid, tried again, and each try counts", async () => {
    const { stage, end } = await abc("one_for_one", { intensity: 3 });
    const dead = stage.pid("b");
    stage.fail("b", 2);
    exit(dead, "kill");
    await settle();
    expect(stage.log).toEqual(["-b killed", "+b"]);
    expect(reports.lines).toEqual([
      "root: child_terminated b killed",
      "root: start_error b boom",
      "root: start_error b boom",
      "root: progress b",
    ]);
    expect(reports.supervisor.map((report) => report.offender.pid)).toEqual([dead, dead, dead]);
    expect(end.reason).toBeUndefined();
    exit(stage.pid("a"), "kill");
    await settle();
    expect(end.reason).toBe("shutdown");
  });

  it("one that fails for ever reaches the intensity, and the last report has the dead pid", async () => {
    const { stage, end } = await abc("one_for_one", { intensity: 2 });
    const dead = stage.pid("b");
    stage.fail("b", Infinity);
    exit(dead, "kill");
    await settle();
    expect(reports.lines).toEqual([
      "root: child_terminated b killed",
      "root: start_error b boom",
      "root: start_error b boom",
      "root: shutdown b reached_max_restart_intensity",
    ]);
    expect(reports.supervisor.map((report) => report.offender.pid)).toEqual([dead, dead, dead, dead]);
    expect([end.reason, stage.log]).toEqual(["shutdown", ["-b killed", "-c shutdown", "-a shutdown"]]);
  });

  it("one_for_all_other_child_fails_restart: the retry starts the whole group again", async () => {
    const { stage, end } = await abc("one_for_all", { intensity: 2 });
    stage.fail("b");
    const dead = stage.pid("a");
    exit(dead, "kill");
    await settle();
    expect(stage.log).toEqual([
      "-a killed",
      "-c shutdown",
      "-b shutdown",
      "+a",
      "-a shutdown",
      "+a",
      "+b",
      "+c",
    ]);
    expect(reports.lines).toEqual([
      "root: child_terminated a killed",
      "root: progress a",
      "root: start_error b boom",
      "root: progress a",
      "root: progress b",
      "root: progress c",
    ]);
    expect(reports.supervisor.map((report) => report.offender.pid)).toEqual([dead, undefined]);
    expect(end.reason).toBeUndefined();
  });

  it("rest_for_one_other_child_fails_restart: the retry begins at the one that failed", async () => {
    const { stage, end } = await abc("rest_for_one", { intensity: 2 });
    stage.fail("b");
    exit(stage.pid("a"), "kill");
    await settle();
    expect(stage.log).toEqual(["-a killed", "-c shutdown", "-b shutdown", "+a", "+b", "+c"]);
    expect(reports.lines).toEqual([
      "root: child_terminated a killed",
      "root: progress a",
      "root: start_error b boom",
      "root: progress b",
      "root: progress c",
    ]);
    expect(end.reason).toBeUndefined();
  });

  it("a group whose child fails for ever gives up with its dead pid, if it was the one that ended", async () => {
    const { stage, end } = await abc("one_for_all", { intensity: 2 });
    const dead = stage.pid("b");
    stage.fail("b", Infinity);
    exit(dead, "kill");
    await settle();
    // As on OTP 25: the failed starts of a group have no pid, the last word has that of the child that ended.
    expect(reports.supervisor.map(({ errorContext, offender }) => [errorContext, offender.pid])).toEqual([
      ["child_terminated", dead],
      ["start_error", undefined],
      ["start_error", undefined],
      ["shutdown", dead],
    ]);
    expect(end.reason).toBe("shutdown");
  });

  for (const strategy of ["one_for_one", "rest_for_one", "one_for_all"] as const) {
    it(`hanging_restart_loop (${strategy}): while a restart fails again and again, the supervisor answers`, async () => {
      const { stage, root, end } = await abc(strategy, { intensity: 1_000_000_000 });
      stage.fail("c", Infinity);
      exit(stage.pid("c"), "kill");
      expect((await whichChildren(root))[0]).toEqual({ id: "c", pid: "restarting", type: "worker" });
      expect(await countChildren(root)).toEqual({ specs: 3, active: 2, supervisors: 0, workers: 3 });
      expect(await startChild(root, stage.child("c"))).toEqual({ error: "already_present" });
      expect(await startChild(root, stage.child("d"))).toBe(stage.pid("d"));
      expect(await terminateChild(root, "c")).toBe("ok");
      expect((await whichChildren(root))[1]).toEqual({ id: "c", pid: undefined, type: "worker" });
      const tries = stage.starts.get("c");
      await settle();
      expect(stage.starts.get("c")).toBe(tries);
      expect(end.reason).toBeUndefined();
    });
  }

  it("hanging_restart_loop: it can be stopped meanwhile", async () => {
    const { stage, root, end } = await abc("one_for_one", { intensity: 1_000_000_000 });
    stage.fail("c", Infinity);
    exit(stage.pid("c"), "kill");
    await whichChildren(root);
    await stopSupervisor(root);
    expect([end.reason, stage.living()]).toEqual(["shutdown", []]);
  });

  it("count_restarting_children: a child that waits for its restart is not active", async () => {
    const { stage, root } = await abc("one_for_one", { intensity: 1_000_000_000 });
    for (const id of ["a", "b"]) {
      stage.fail(id, Infinity);
      exit(stage.pid(id), "kill");
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(await countChildren(root)).toEqual({ specs: 3, active: 1, supervisors: 0, workers: 3 });
    stage.fail("a", 0);
    stage.fail("b", 0);
    await settle();
    expect(await countChildren(root)).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3 });
  });

  it("a restart that is ignored leaves the child without a process", async () => {
    const { stage, root } = await abc("one_for_one");
    stage.fail("b", 1, "ignore");
    exit(stage.pid("b"), "kill");
    await settle();
    expect((await whichChildren(root))[1]).toEqual({ id: "b", pid: undefined, type: "worker" });
    expect(reports.lines).toEqual(["root: child_terminated b killed"]);
  });

  it("a child that dies right after its start is started again, within the intensity", async () => {
    const stage = new Stage();
    const brief = {
      id: "brief",
      start: (parent: never) => {
        const pid = stage.start("brief", parent);
        stage.at("brief").quit("brief");
        return pid;
      },
    };
    const end = endOf(await startSupervisor("root", { intensity: 3 }, [brief]));
    await settle();
    expect(stage.starts.get("brief")).toBe(4);
    expect(end.reason).toBe("shutdown");
  });
});

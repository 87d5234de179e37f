import { describe, expect, it } from "vitest";
import { genServer, start } from "../../../src/otp/gen-server/gen-server.js";
import { exit } from "../../../src/otp/process/signals.js";
import {
  countChildren,
  deleteChild,
  getChildspec,
  restartChild,
  startChild,
  startSupervisor,
  stopSupervisor,
  supervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";
import { gate, listenToReports, manualClock, outcome } from "../support.js";

const time = manualClock();
const reports = listenToReports();

describe("supervisor_SUITE, child_adm", () => {
  it("child_adm: a child is stopped, found stopped, started again, deleted, and added again", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a")]);
    const first = stage.pid("a");
    expect(await startChild(root, stage.child("a"))).toEqual({ error: { already_started: first } });
    expect(await deleteChild(root, "a")).toBe("running");
    expect(await restartChild(root, "a")).toEqual({ error: "running" });
    expect(await terminateChild(root, "a")).toBe("ok");
    expect(await terminateChild(root, "a")).toBe("ok");
    expect(await whichChildren(root)).toEqual([{ id: "a", pid: undefined, type: "worker" }]);
    expect(await startChild(root, stage.child("a"))).toEqual({ error: "already_present" });
    expect(await restartChild(root, "a")).toBe(stage.pid("a"));
    expect(stage.pid("a")).not.toBe(first);
    await terminateChild(root, "a");
    expect(await deleteChild(root, "a")).toBe("ok");
    expect(await deleteChild(root, "a")).toBe("not_found");
    expect(await restartChild(root, "a")).toEqual({ error: "not_found" });
    expect(await terminateChild(root, "a")).toBe("not_found");
    expect(await startChild(root, stage.child("a"))).toBe(stage.pid("a"));
    expect(stage.log).toEqual(["+a", "-a shutdown", "+a", "-a shutdown", "+a"]);
    expect(reports.lines).toEqual(["root: progress a", "root: progress a", "root: progress a"]);
  });

  it("child_adm: a temporary child that is stopped is forgotten", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("t", { restart: "temporary" })]);
    expect(await terminateChild(root, "t")).toBe("ok");
    expect(await terminateChild(root, "t")).toBe("not_found");
    expect(await restartChild(root, "t")).toEqual({ error: "not_found" });
    expect(await whichChildren(root)).toEqual([]);
  });

  it("child_adm: a stop that was asked for is no restart, and counts as none", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", { intensity: 0, strategy: "one_for_all" }, [
      stage.child("a"),
      stage.child("b"),
    ]);
    for (let n = 0; n < 3; n++) {
      await terminateChild(root, "a");
      await restartChild(root, "a");
    }
    expect(stage.living()).toEqual(["a", "b"]);
    expect(stage.log.filter((line) => line.endsWith("b"))).toEqual(["+b"]);
  });

  it("child_adm: a child whose restart is tried again cannot be restarted or deleted by hand", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", { intensity: 1_000_000 }, [stage.child("a")]);
    stage.fail("a", Infinity);
    exit(stage.pid("a"), "kill");
    await whichChildren(root);
    expect(await restartChild(root, "a")).toEqual({ error: "restarting" });
    expect(await deleteChild(root, "a")).toBe("restarting");
    expect(await terminateChild(root, "a")).toBe("ok");
    expect(await deleteChild(root, "a")).toBe("ok");
    await settle();
    expect(await whichChildren(root)).toEqual([]);
  });

  it("already_started_outside_supervisor: the start of a server whose name is taken fails with its holder", async () => {
    const Named = genServer({ name: "named", init: () => ({}) });
    const holder = await start(Named, undefined, { name: "adm-named" });
    const root = await startSupervisor("root", {}, []);
    const spec = { id: "named", start: () => start(Named, undefined, { name: "adm-named" }) };
    expect(await startChild(root, spec)).toEqual({ error: { already_started: holder } });
    expect(await whichChildren(root)).toEqual([]);
  });

  it("a child that cannot be started is not kept, and not reported: the caller is told", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, []);
    stage.fail("a");
    expect(await startChild(root, stage.child("a"))).toEqual({ error: "boom" });
    expect(await whichChildren(root)).toEqual([]);
    expect(reports.lines).toEqual([]);
  });

  it("get_childspec: gives the spec with every default filled in", async () => {
    const stage = new Stage();
    const inner = supervisor("inner", {}, []);
    const root = await startSupervisor("root", {}, [stage.child("a", { shutdown: "2s" }), inner]);
    expect(await getChildspec(root, "a")).toEqual({
      id: "a",
      concurrent: false,
      start: expect.any(Function),
      restart: "permanent",
      shutdown: 2000,
      type: "worker",
      significant: false,
      mfargs: ["a", "start", []],
    });
    expect(await getChildspec(root, "inner")).toMatchObject({
      type: "supervisor",
      shutdown: Infinity,
      mfargs: ["supervisor", "start_link", ["inner"]],
    });
    expect(await getChildspec(root, "b")).toBe("not_found");
  });

  it("count_children: specs and processes, workers and supervisors", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [
      stage.child("a"),
      stage.child("t", { restart: "transient" }),
      supervisor("inner", {}, [stage.child("x")]),
    ]);
    expect(await countChildren(root)).toEqual({ specs: 3, active: 3, supervisors: 1, workers: 2 });
    stage.at("t").quit("normal");
    await terminateChild(root, "inner");
    expect(await countChildren(root)).toEqual({ specs: 3, active: 1, supervisors: 1, workers: 2 });
  });

  it("count_children: a child that has just died is not active, though nothing was done about it yet", async () => {
    const stage = new Stage();
    const { promise, open } = gate();
    const root = await startSupervisor("root", {}, [stage.child("a"), stage.child("b")]);
    const waiting = startChild(root, { id: "slow", start: () => promise.then(() => "ignore" as const) });
    const counted = countChildren(root);
    await settle();
    exit(stage.pid("a"), "kill");
    open();
    await waiting;
    expect(await counted).toMatchObject({ specs: 3, active: 1 });
  });

  it("which_children: newest first, with those that were added", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a"), stage.child("b")]);
    await startChild(root, stage.child("c", { type: "supervisor" }));
    expect(await whichChildren(root)).toEqual([
      { id: "c", pid: stage.pid("c"), type: "supervisor" },
      { id: "b", pid: stage.pid("b"), type: "worker" },
      { id: "a", pid: stage.pid("a"), type: "worker" },
    ]);
  });

  it("scale_start_stop_many_children: a thousand children come and go in order", async () => {
    const stage = new Stage();
    const ids = Array.from({ length: 1000 }, (_, n) => `c${n}`);
    const root = await startSupervisor("root", {}, []);
    for (const id of ids) await startChild(root, stage.child(id));
    expect(await countChildren(root)).toMatchObject({ specs: 1000, active: 1000 });
    stage.take();
    await stopSupervisor(root);
    expect(stage.log).toEqual(ids.map((id) => `-${id} shutdown`).reverse());
  });

  it("what a supervisor cannot answer fails, and so does a question to one that has ended", async () => {
    const root = await startSupervisor("root", {}, []);
    const { request } = await import("../../../src/otp/gen-server/call.js");
    expect(await outcome(request(root, "sing", []))).toMatchObject({
      error: { message: 'a supervisor has no call "sing"' },
    });
    await stopSupervisor(root);
    expect(await outcome(whichChildren(root))).toMatchObject({ error: { reason: "noproc" } });
  });

  it("a question waits as long as a child starts: no answer shows a half-done start", async () => {
    const { promise, open } = gate();
    const stage = new Stage();
    const root = await startSupervisor("root", {}, []);
    const adding = startChild(root, {
      id: "slow",
      start: (parent) => promise.then(() => stage.start("slow", parent)),
    });
    let answered = false;
    const asked = whichChildren(root).then((children) => {
      answered = true;
      return children;
    });
    await time.clock.advance(3_600_000);
    expect(answered).toBe(false);
    open();
    expect(await adding).toBe(stage.pid("slow"));
    expect(await asked).toHaveLength(1);
  });
});

describe("supervisor_SUITE, significant children", () => {
  const specs = (stage: Stage, restart: "transient" | "temporary") => [
    stage.child("plain", { restart }),
    stage.child("s1", { restart, significant: true }),
    stage.child("s2", { restart, significant: true }),
  ];

  it.each(["transient", "temporary"] as const)(
    "nonsignificant_%s: its end changes nothing",
    async (restart) => {
      const stage = new Stage();
      const root = await startSupervisor("root", { autoShutdown: "any_significant" }, specs(stage, restart));
      const end = endOf(root);
      stage.at("plain").quit("normal");
      await settle();
      expect([end.reason, stage.living()]).toEqual([undefined, ["s1", "s2"]]);
    },
  );

  it.each(["transient", "temporary"] as const)(
    "significant_%s: with any_significant the first that ends well ends it",
    async (restart) => {
      const stage = new Stage();
      const root = await startSupervisor("root", { autoShutdown: "any_significant" }, specs(stage, restart));
      const end = endOf(root);
      stage.take();
      reports.take();
      stage.at("s1").quit({ shutdown: "done" });
      await settle();
      expect(end.reason).toBe("shutdown");
      expect(stage.log).toEqual(["-s1 {shutdown,done}", "-s2 shutdown", "-plain shutdown"]);
      expect(reports.lines).toEqual([]);
    },
  );

  it.each(["transient", "temporary"] as const)(
    "significant_%s: with all_significant the last that ends well ends it",
    async (restart) => {
      const stage = new Stage();
      const root = await startSupervisor("root", { autoShutdown: "all_significant" }, specs(stage, restart));
      const end = endOf(root);
      stage.at("s1").quit("normal");
      await settle();
      expect(end.reason).toBeUndefined();
      stage.at("s2").quit("normal");
      await settle();
      expect([end.reason, stage.living()]).toEqual(["shutdown", []]);
    },
  );

  it("significant_transient: one that fails is restarted, and its end is none", async () => {
    const stage = new Stage();
    const root = await startSupervisor(
      "root",
      { autoShutdown: "any_significant" },
      specs(stage, "transient"),
    );
    const end = endOf(root);
    exit(stage.pid("s1"), "kill");
    await settle();
    expect([end.reason, stage.living()]).toEqual([undefined, ["plain", "s1", "s2"]]);
  });

  it("significant_temporary: one that fails ends it as well, after the report", async () => {
    const stage = new Stage();
    const root = await startSupervisor(
      "root",
      { autoShutdown: "any_significant" },
      specs(stage, "temporary"),
    );
    const end = endOf(root);
    reports.take();
    exit(stage.pid("s1"), "kill");
    await settle();
    expect(end.reason).toBe("shutdown");
    expect(reports.lines).toEqual(["root: child_terminated s1 killed"]);
  });

  it("significant_transient: with all_significant one whose restart is tried again still counts", async () => {
    const stage = new Stage();
    const flags = { autoShutdown: "all_significant", intensity: 1_000_000 } as const;
    const root = await startSupervisor("root", flags, specs(stage, "transient"));
    const end = endOf(root);
    stage.fail("s1", Infinity);
    exit(stage.pid("s1"), "kill");
    await whichChildren(root);
    stage.at("s2").quit("normal");
    await whichChildren(root);
    expect(end.reason).toBeUndefined();
    stage.fail("s1", 0);
    await settle();
    stage.at("s1").quit("normal");
    await settle();
    expect(end.reason).toBe("shutdown");
  });

  it("significant_bystander: neither terminateChild nor the stop of a group ends it", async () => {
    const stage = new Stage();
    const flags = { autoShutdown: "any_significant", strategy: "one_for_all" } as const;
    const root = await startSupervisor("root", flags, [
      stage.child("a"),
      stage.child("s1", { restart: "transient", significant: true }),
      stage.child("s2", { restart: "temporary", significant: true }),
    ]);
    const end = endOf(root);
    await terminateChild(root, "s1");
    await restartChild(root, "s1");
    exit(stage.pid("a"), "kill");
    await settle();
    expect(end.reason).toBeUndefined();
    expect((await whichChildren(root)).map(({ id }) => id)).toEqual(["s1", "a"]);
  });

  it("significant_escalation: a supervisor that ends with its significant child may be significant itself", async () => {
    const stage = new Stage();
    const inner = supervisor("inner", { autoShutdown: "any_significant" }, [
      stage.child("x"),
      stage.child("s", { restart: "transient", significant: true }),
    ]);
    const outer = { ...inner, restart: "transient", significant: true } as const;
    const root = await startSupervisor("root", { autoShutdown: "all_significant" }, [
      stage.child("a"),
      outer,
    ]);
    const end = endOf(root);
    reports.take();
    stage.at("s").quit("normal");
    await settle();
    expect([end.reason, stage.living(), reports.lines]).toEqual(["shutdown", [], []]);
  });
});

import { describe, expect, it } from "vitest";
import { processCount, processOf } from "../../../src/otp/process/process.js";
import { exit } from "../../../src/otp/process/signals.js";
import { type ChildSpec, checkChildspecs } from "../../../src/otp/supervisor/child-spec.js";
import {
  countChildren,
  restartChild,
  startChild,
  startSupervisor,
  stopSupervisor,
  supervisor,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import type { SupervisorFlags } from "../../../src/otp/supervisor/supervisor-flags.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";
import { Listener, listenToReports, manualClock, outcome } from "../support.js";

manualClock();
const reports = listenToReports();

describe("supervisor_SUITE, sup_start", () => {
  it("sup_start_normal: children start from left to right, each with a progress report", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a"), stage.child("b"), stage.child("c")]);
    expect(stage.log).toEqual(["+a", "+b", "+c"]);
    expect(reports.lines).toEqual(["root: progress a", "root: progress b", "root: progress c"]);
    await stopSupervisor(root);
    expect(stage.log.slice(3)).toEqual(["-c shutdown", "-b shutdown", "-a shutdown"]);
  });

  it("sup_start_normal: the next child starts when the start of the one before is through", async () => {
    const stage = new Stage();
    let ready = () => {};
    const slow: ChildSpec = {
      id: "slow",
      start: async (parent) => {
        await new Promise<void>((resolve) => (ready = resolve));
        return stage.start("slow", parent);
      },
    };
    const starting = startSupervisor("root", {}, [slow, stage.child("b")]);
    await settle();
    expect(stage.log).toEqual([]);
    ready();
    await starting;
    expect(stage.log).toEqual(["+slow", "+b"]);
  });

  it("sup_start_ignore_child: a child that ignores its start is kept without a process", async () => {
    const stage = new Stage();
    stage.fail("a", 1, "ignore");
    const root = await startSupervisor("root", {}, [stage.child("a"), stage.child("b")]);
    expect(await whichChildren(root)).toEqual([
      { id: "b", pid: stage.pid("b"), type: "worker" },
      { id: "a", pid: undefined, type: "worker" },
    ]);
    expect(reports.lines).toEqual(["root: progress b"]);
    expect(await countChildren(root)).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 });
  });

  it("sup_start_ignore_temporary_child: a temporary one that ignores its start is forgotten", async () => {
    const stage = new Stage();
    stage.fail("a", 1, "ignore");
    const root = await startSupervisor("root", {}, [
      stage.child("a", { restart: "temporary" }),
      stage.child("b"),
    ]);
    expect(await whichChildren(root)).toEqual([{ id: "b", pid: stage.pid("b"), type: "worker" }]);
    expect(stage.log).toEqual(["+b"]);
  });

  it("sup_start_ignore_temporary_child_start_child: the same for one that is added", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, []);
    stage.fail("a", 1, "ignore");
    stage.fail("b", 1, "ignore");
    expect(await startChild(root, stage.child("a", { restart: "temporary" }))).toBeUndefined();
    expect(await startChild(root, stage.child("b"))).toBeUndefined();
    expect(await whichChildren(root)).toEqual([{ id: "b", pid: undefined, type: "worker" }]);
  });

  it("sup_start_fail: a child that fails ends the start; those before it are stopped in reverse order", async () => {
    const stage = new Stage();
    const before = processCount();
    stage.fail("c");
    const specs = ["a", "b", "c", "d"].map((id) => stage.child(id));
    expect(await outcome(startSupervisor("root", {}, specs))).toMatchObject({
      error: { name: "ProcessExit", reason: { shutdown: { failed_to_start_child: "c", reason: "boom" } } },
    });
    expect(stage.log).toEqual(["+a", "+b", "-b shutdown", "-a shutdown"]);
    expect(reports.lines).toEqual(["root: progress a", "root: progress b", "root: start_error c boom"]);
    expect(reports.supervisor[0]?.offender.pid).toBeUndefined();
    expect(processCount()).toBe(before);
  });

  it("sup_start_child_returns_error: a thrown Error is the reason as it is", async () => {
    const error = new Error("no port");
    const bad: ChildSpec = { id: "bad", start: () => Promise.reject(error) };
    expect(await outcome(startSupervisor("root", {}, [bad]))).toMatchObject({
      error: { reason: { shutdown: { failed_to_start_child: "bad", reason: error } } },
    });
  });

  it("sup_start_restart_child_returns_error: a failed restartChild says why, and the spec stays", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a", { restart: "transient" })]);
    stage.at("a").quit("normal");
    await settle();
    stage.fail("a");
    expect(await restartChild(root, "a")).toEqual({ error: "boom" });
    expect(await whichChildren(root)).toEqual([{ id: "a", pid: undefined, type: "worker" }]);
    expect(await restartChild(root, "a")).toBe(stage.pid("a"));
    expect(reports.lines).toEqual(["root: progress a", "root: progress a"]);
  });

  it("tree: a nested supervisor that cannot start makes its parent's start fail with the whole story", async () => {
    const stage = new Stage();
    stage.fail("deep");
    const inner = supervisor("inner", {}, [stage.child("shallow"), stage.child("deep")]);
    expect(await outcome(startSupervisor("root", {}, [stage.child("a"), inner]))).toMatchObject({
      error: {
        reason: {
          shutdown: {
            failed_to_start_child: "inner",
            reason: { shutdown: { failed_to_start_child: "deep", reason: "boom" } },
          },
        },
      },
    });
    expect(stage.log).toEqual(["+a", "+shallow", "-shallow shutdown", "-a shutdown"]);
    expect(reports.lines).toEqual([
      "root: progress a",
      "inner: progress shallow",
      "inner: start_error deep boom",
      "root: start_error inner {shutdown,{failed_to_start_child,deep,boom}}",
    ]);
  });

  it("a supervisor that is killed while a child starts starts no more, and its own start fails", async () => {
    const stage = new Stage();
    const outer = new Listener({ trapExit: true });
    const before = processCount();
    const hanging: ChildSpec = { id: "hanging", start: () => new Promise(() => {}) };
    const inner = supervisor("inner", {}, [stage.child("a"), hanging, stage.child("b")]);
    const starting = outcome(Promise.resolve(inner.start(outer.pid)));
    await settle();
    exit(processOf(stage.at("a").pid)?.parent?.pid as never, "kill");
    expect(await starting).toMatchObject({ error: { reason: "killed" } });
    await settle();
    expect(stage.log).toEqual(["+a", "-a killed"]);
    expect(processCount()).toBe(before);
  });

  it("a supervisor that is killed while it restarts a child does not start the next one", async () => {
    const stage = new Stage();
    let ready = () => {};
    const slow: ChildSpec = {
      id: "slow",
      start: async (parent) => {
        if (stage.starts.get("slow")) await new Promise<void>((resolve) => (ready = resolve));
        return stage.start("slow", parent);
      },
    };
    const root = await startSupervisor("root", { strategy: "one_for_all" }, [slow, stage.child("b")]);
    stage.at("b").quit("oops");
    await settle();
    exit(root, "kill");
    ready();
    await settle();
    expect(stage.starts.get("b")).toBe(1);
    expect(stage.living()).toEqual([]);
  });

  it("one that is killed while a nested one starts leaves that to end by itself, in order", async () => {
    const stage = new Stage();
    let ready = () => {};
    const slow: ChildSpec = {
      id: "slow",
      start: async (parent) => {
        if (stage.starts.get("slow")) await new Promise<void>((resolve) => (ready = resolve));
        return stage.start("slow", parent);
      },
    };
    const root = await startSupervisor("root", {}, [supervisor("inner", {}, [slow])]);
    exit(processOf(stage.pid("slow"))?.parent?.pid as never, "kill");
    await settle();
    exit(root, "kill");
    ready();
    await settle();
    expect(stage.take()).toEqual(["+slow", "-slow killed", "+slow", "-slow shutdown"]);
    expect(stage.living()).toEqual([]);
  });

  it("a supervisor under a parent that has ended is not started", async () => {
    const stage = new Stage();
    const parent = new Listener();
    parent.quit("normal");
    const spec = supervisor("inner", {}, [stage.child("a")]);
    expect(await outcome((async () => spec.start(parent.pid))())).toMatchObject({
      error: { reason: "noproc" },
    });
    expect(stage.log).toEqual([]);
  });
});

describe("supervisor_SUITE, child_specs and sup_flags", () => {
  const start = () => "ignore" as const;
  const good = { id: "a", start };

  it.each<[string, unknown, RegExp]>([
    ["no object", 7, /a child spec is an object like \{ id: "counter", start: \(parent\) => … \}, got 7/],
    ["null", null, /a child spec is an object .* got null/],
    ["an array", [], /a child spec is an object|"id" must be/],
    ["no id", { start }, /child spec "\?": "id" must be a non-empty string, unique in its supervisor/],
    ["an id that is not a string", { id: 7, start }, /"id" must be a non-empty string/],
    ["an empty id", { id: "", start }, /"id" must be a non-empty string/],
    [
      "no start",
      { id: "a" },
      /child spec "a": "start" must be a function \(parent\) => Pid: use child\(server, args\)/,
    ],
    ["a start that is no function", { id: "a", start: ["m", "f", []] }, /"start" must be a function/],
    [
      "an unknown restart type",
      { ...good, restart: "always" },
      /"restart" must be permanent, transient, temporary, got "always"/,
    ],
    ["an unknown type", { ...good, type: "process" }, /"type" must be worker or supervisor, got "process"/],
    [
      "a shutdown that is no time",
      { ...good, shutdown: "soon" },
      /"shutdown" must be "brutal_kill", Infinity or a duration such as "2s", got "soon"/,
    ],
    ["a negative shutdown", { ...good, shutdown: -1 }, /"shutdown" must be .* got -1/],
    [
      "significant that is no boolean",
      { ...good, significant: "yes" },
      /"significant" must be true or false, got "yes"/,
    ],
    [
      "permanent and significant",
      { ...good, significant: true },
      /a permanent child cannot be significant: make it transient or temporary/,
    ],
    [
      "an unknown key",
      { ...good, retart: "permanent" },
      /unknown key "retart"; the keys are id, start, restart, shutdown, type, significant, mfargs/,
    ],
  ])("faulty_specs: %s is refused, with words that say what to write", async (_, spec, words) => {
    const specs = [spec] as ChildSpec[];
    expect(() => supervisor("s", { autoShutdown: "any_significant" }, specs)).toThrow(words);
    expect(await outcome(startSupervisor("s", { autoShutdown: "any_significant" }, specs))).toMatchObject({
      error: { name: "TypeError", message: expect.stringMatching(words) },
    });
    const root = await startSupervisor("root", { autoShutdown: "any_significant" }, []);
    expect(await outcome(startChild(root, spec))).toMatchObject({
      error: { name: "TypeError", message: expect.stringMatching(words) },
    });
    expect(await whichChildren(root)).toEqual([]);
  });

  it("child_specs: two with one id are refused before anything starts", () => {
    expect(() => supervisor("s", {}, [good, good])).toThrow('supervisor s: duplicate child id "a"');
  });

  it("child_specs: a significant child is refused without autoShutdown", async () => {
    const significant = { ...good, restart: "transient", significant: true } as const;
    const words =
      'supervisor s: child "a" is significant, so set autoShutdown to any_significant or all_significant';
    expect(() => supervisor("s", {}, [significant])).toThrow(words);
    const root = await startSupervisor("s", {}, []);
    expect(await outcome(startChild(root, significant))).toMatchObject({ error: { message: words } });
  });

  it("child_specs: checkChildspecs checks a list, and with autoShutdown also what belongs to it", () => {
    const significant = { ...good, restart: "temporary", significant: true } as const;
    expect(() => checkChildspecs([good, { id: "b", start }])).not.toThrow();
    expect(() => checkChildspecs([good, good])).toThrow('duplicate child id "a"');
    expect(() => checkChildspecs([significant])).not.toThrow();
    expect(() => checkChildspecs([significant], "all_significant")).not.toThrow();
    expect(() => checkChildspecs([significant], "never")).toThrow("so set autoShutdown");
  });

  it("child_specs: a list that is no list is refused", () => {
    expect(() => supervisor("s", {}, {} as never)).toThrow(
      "supervisor s: children must be an array of child specs",
    );
    expect(() => supervisor("s", {}, undefined as never)).toThrow(
      "supervisor s: children must be an array of child specs",
    );
  });

  it.each<[string, object, RegExp]>([
    [
      "strategy",
      { strategy: "simple_one_for_one" },
      /supervisor s: strategy must be one_for_one, one_for_all, rest_for_one, got "simple_one_for_one"/,
    ],
    ["a negative intensity", { intensity: -1 }, /intensity must be a whole number from 0 up, got -1/],
    ["an intensity with a fraction", { intensity: 1.5 }, /intensity must be a whole number/],
    ["an infinite intensity", { intensity: Infinity }, /intensity must be a whole number/],
    ["a period of nothing", { period: 0 }, /period must be whole seconds such as "60s", got 0/],
    ["a period in no whole seconds", { period: 1500 }, /period must be whole seconds/],
    [
      "a period that is no time",
      { period: "long" },
      /period must be whole seconds such as "60s", got "long"/,
    ],
    [
      "autoShutdown",
      { autoShutdown: "always" },
      /autoShutdown must be never, any_significant, all_significant, got "always"/,
    ],
    [
      "an unknown flag",
      { intensty: 1 },
      /unknown flag "intensty"; the flags are strategy, intensity, period, autoShutdown/,
    ],
    ["no object", null as never, /supervisor s: flags must be an object/],
  ])("sup_flags: %s is refused", (_, flags, words) => {
    expect(() => supervisor("s", flags as SupervisorFlags, [])).toThrow(words);
  });

  it("sup_flags: nothing given means one_for_one, 5 restarts in 60 seconds, never shut down by itself", async () => {
    const root = await startSupervisor("root", {}, []);
    expect((processOf(root) as never as { flags: object }).flags).toEqual({
      strategy: "one_for_one",
      intensity: 5,
      period: 60,
      autoShutdown: "never",
    });
  });
});

describe("a supervisor", () => {
  it("takes no notice of messages and exits that are none of its business", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a")]);
    const end = endOf(root);
    processOf(root)?.deliver({ some: "thing" });
    exit(root, "oops");
    exit(root, "normal");
    const stranger = new Listener();
    stranger.link(processOf(root) as never);
    stranger.quit("oops");
    await settle();
    expect([end.reason, stage.living()]).toEqual([undefined, ["a"]]);
  });

  it("ends with the reason of its parent, after its children", async () => {
    const stage = new Stage();
    const parent = new Listener();
    const inner = (await supervisor("inner", {}, [stage.child("a"), stage.child("b")]).start(
      parent.pid,
    )) as never;
    const end = endOf(inner);
    parent.quit("oops");
    await settle();
    expect(stage.log).toEqual(["+a", "+b", "-b shutdown", "-a shutdown"]);
    expect(end.reason).toBe("oops");
  });

  it("that is killed leaves no child behind", async () => {
    const stage = new Stage();
    const before = processCount();
    const inner = supervisor("inner", {}, [stage.child("a"), stage.child("b", {}, { lingers: 0 })]);
    const root = await startSupervisor("root", {}, [inner]);
    exit(root, "kill");
    await settle();
    expect(stage.living()).toEqual([]);
    expect(processCount()).toBe(before);
  });
});

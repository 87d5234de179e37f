/** Starting, stopping, failing: the portable cases of OTP's gen_statem_SUITE. Titles begin with the case's name there. */
import { describe, expect, it } from "vitest";
import { call, cast, start, startLink } from "../../../src/otp/gen-server/gen-server.js";
import {
  begin,
  changeCallbackModule,
  genStatem,
  popCallbackModule,
  pushCallbackModule,
  reply,
  replyTo,
  stateTimeout,
  timer,
} from "../../../src/otp/gen-statem/gen-statem.js";
import { keep, next, postpone, stop, stopAndReply } from "../../../src/otp/gen-statem/step.js";
import { whereis } from "../../../src/otp/process/registry.js";
import { exit, send } from "../../../src/otp/process/signals.js";
import { child } from "../../../src/otp/supervisor/child.js";
import { startSupervisor, stopSupervisor, whichChildren } from "../../../src/otp/supervisor/supervisor.js";
import * as sys from "../../../src/otp/sys/sys.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf } from "../stage.js";
import { gate, Listener, listenToReports, manualClock, outcome } from "../support.js";
import { type Description, machine, reasonOfRejection, running, STYLES } from "./support.js";

const time = manualClock();
const reports = listenToReports();

/** The machine that most cases of the suite run. */
function idle(more: Partial<Description> = {}): Description {
  return {
    init: (how: any) => {
      if (how === "ignore") return "ignore";
      if (how?.stop !== undefined) return stop(how.stop);
      if (how?.throws !== undefined) throw how.throws;
      if (how === "bad") return 4711;
      return begin("idle", how ?? "data");
    },
    states: {
      idle: (self, event: any) => {
        if (event.type === "call" && event.name === "hello") return reply("hello");
        if (event.type === "call" && event.name === "stop")
          return stopAndReply(event.args[0], reply("stopped"));
        if (event.type === "call" && event.name === "bad") return event.args[0];
        if (event.type === "call" && event.name === "get") return reply([self.state, self.data]);
        if (event.type === "call") throw new Error("no such call");
        if (event.type === "cast" && event.name === "stop") return stop(event.args[0]);
        if (event.type === "cast" && event.name === "bad") throw new Error("bad cast");
      },
      other: () => reply("other"),
    },
    ...more,
  };
}

describe.each(STYLES)("%s", (style) => {
  it("start1, start2: started alone, and linked", async () => {
    const { ask, end, pid } = await running(style, idle());
    expect(await ask("hello")).toBe("hello");
    expect(pid.label).toBe("statem");
    await sys.stopProcess(pid);
    expect(end.reason).toBe("normal");
    const parent = new Listener();
    const linked = await startLink(parent.pid, machine(style, idle()), undefined);
    parent.quit("shutdown");
    expect(processGone(linked)).toBe(true);
  });

  it("start5a, start5b, start6: a name that is taken, and a registered one", async () => {
    const pid = await start(machine(style, idle()), undefined, { name: "gstm" });
    expect(whereis("gstm")).toBe(pid);
    const second = start(machine(style, idle()), undefined, { name: "gstm" });
    expect(await reasonOfRejection(second)).toEqual({ already_started: pid });
    expect(await sys.getState("gstm")).toEqual({ state: "idle", data: "data" });
    await sys.stopProcess("gstm");
    expect(whereis("gstm")).toBeUndefined();
  });

  it("start8, start9: a child of a supervisor, started again after a crash", async () => {
    const root = await startSupervisor("root", {}, [child(machine(style, idle()), undefined)]);
    const [first] = await whichChildren(root);
    cast(first?.pid as never, "bad" as never);
    await settle();
    expect(reports.take().slice(1)).toEqual([
      "crash statem Error: bad cast",
      "root: child_terminated statem Error: bad cast",
      "root: progress statem",
    ]);
    const [second] = await whichChildren(root);
    expect(second?.pid).not.toBe(first?.pid);
    await stopSupervisor(root);
  });

  it("stop1 to stop7: ends with the reason it is given, from inside and from outside", async () => {
    for (const reason of ["normal", "shutdown", { shutdown: "why" }, new Error("abnormal")] as const) {
      const said: unknown[] = [];
      const terminate = (_: unknown, why: unknown) => void said.push(why);
      const one = await running(style, idle({ terminate }));
      await sys.stopProcess(one.pid, reason);
      expect([one.end.reason, said]).toEqual([reason, [reason]]);
      const two = await running(style, idle({ terminate }));
      expect(await two.ask("stop", reason)).toBe("stopped");
      expect([two.end.reason, said[1]]).toEqual([reason, reason]);
      expect(await reasonOfRejection(two.ask("hello"))).toBe("noproc");
    }
    expect(await reasonOfRejection(sys.stopProcess("nobody"))).toBe("noproc");
  });

  it("stop: in time, or the caller waits no longer; another reason is an error", async () => {
    const open = gate();
    const slow = await running(style, idle({ terminate: () => open.promise }));
    const stopping = sys.stopProcess(slow.pid, "normal", "1s");
    await settle();
    const late = outcome(stopping);
    await time.clock.advance(1000);
    expect(((await late) as any).error.reason).toBe("timeout");
    open.open();
    await settle();
    expect(slow.end.reason).toBe("normal");
    const { pid } = await running(
      style,
      idle({
        terminate: () => {
          throw "crash";
        },
      }),
    );
    expect(await reasonOfRejection(sys.stopProcess(pid))).toBe("crash");
  });

  it("abnormal1: a call that is not answered in time, and an answer that comes too late", async () => {
    const { pid } = await running(style, {
      init: () => begin("idle", { from: undefined as any }),
      states: {
        idle: (self, event: any) => {
          if (event.type === "info") return replyTo(self.data.from, "late");
          self.data.from = event.from;
        },
      },
    });
    const asked = outcome(call(pid as any, "later" as never) as Promise<unknown>);
    await time.clock.advance(5000);
    expect(((await asked) as any).error.reason).toBe("timeout");
    send(pid, "answer");
    await settle();
    expect(pid.process).toBeDefined();
  });

  it("abnormal2, abnormal3, abnormal4: a bad return, a bad action, a bad timeout", async () => {
    const values = [4711, keep({ kind: "nonsense" } as never), next("nowhere"), replyTo({} as never, 1)];
    for (const bad of values) {
      const { ask, end } = await running(style, idle());
      const failed = outcome(ask("bad", bad));
      await settle();
      if (style === "handle_event_function" && bad === values[2]) continue;
      expect(((await failed) as any).error.reason).toBe(end.reason);
      expect(end.reason).toBeInstanceOf(Error);
    }
    expect(() => stateTimeout("ouch" as never)).toThrow(TypeError);
    expect(() => timer("a", -1)).toThrow(TypeError);
  });

  it("shutdown: an orderly end is no crash", async () => {
    const { ask, end } = await running(style, idle());
    expect(await ask("stop", { shutdown: "reason" })).toBe("stopped");
    await settle();
    expect(end.reason).toEqual({ shutdown: "reason" });
    expect(reports.lines).toEqual([]);
  });

  it("loop_start_fail: stop, ignore, a bad return, a crash, a rejection", async () => {
    const begins = (how: unknown) => reasonOfRejection(start(machine(style, idle()), how));
    expect(await begins({ stop: "shutdown" })).toBe("shutdown");
    expect(await begins("ignore")).toBe("ignore");
    expect(await begins({ throws: "bailout" })).toBe("bailout");
    expect(await begins("bad")).toBeInstanceOf(TypeError);
    const rejects = machine(style, idle({ init: () => Promise.reject(new Error("later")) }));
    expect(String(await reasonOfRejection(start(rejects, undefined)))).toContain("later");
    const waits = machine(style, idle({ init: async () => begin("idle", "made") }));
    expect(await sys.getState(await start(waits, undefined))).toEqual({ state: "idle", data: "made" });
  });

  it("stop_and_reply: answers go out before the end", async () => {
    const order: string[] = [];
    const { ask, end } = await running(style, {
      init: () => begin("start", {} as any),
      states: {
        start: (self, event: any) => {
          self.data.from = event.from;
          return next("wait");
        },
        wait: (self) => stopAndReply("reason", replyTo(self.data.from, "reply1"), reply("reply2")),
      },
      terminate: () => void order.push("terminate"),
    });
    const one = ask("echo").then((value) => order.push(value));
    const two = ask("stop").then((value) => order.push(value));
    await Promise.all([one, two]);
    expect(order.toSorted()).toEqual(["reply1", "reply2", "terminate"]);
    expect(end.reason).toEqual({ shutdown: "reason" });
  });

  it("an exit of the parent ends a machine that traps exits, after terminate; others become messages", async () => {
    const seen: unknown[] = [];
    const parent = new Listener();
    const trapping = idle({ trapExit: true, terminate: (_, reason) => void seen.push(reason) });
    const pid = await startLink(parent.pid, machine(style, trapping), undefined);
    exit(pid, "ignored");
    await settle();
    expect(seen).toEqual([]);
    parent.quit("shutdown");
    await settle();
    expect(seen).toEqual(["shutdown"]);
    expect(processGone(pid)).toBe(true);
  });

  it("undef_terminate1: no terminate is fine", async () => {
    const { pid, end } = await running(style, idle());
    await sys.stopProcess(pid, "shutdown");
    expect(end.reason).toBe("shutdown");
  });

  it("sys1: a suspended machine does not answer", async () => {
    const { ask, pid } = await running(style, idle());
    expect((await sys.getStatus(pid)).status).toBe("running");
    await sys.suspend(pid);
    expect((await sys.getStatus(pid)).status).toBe("suspended");
    let answered = false;
    const asked = ask("hello").then((value) => {
      answered = true;
      return value;
    });
    await time.clock.advance(3000);
    expect(answered).toBe(false);
    await sys.resume(pid);
    expect(await asked).toBe("hello");
  });

  it("code_change, undef_code_change: new code takes over state and data", async () => {
    const { ask, pid } = await running(style, idle());
    expect(await reasonOfRejection(sys.changeCode(pid, machine(style, idle())))).toBe("not_suspended");
    await sys.suspend(pid);
    const changed = idle({
      codeChange: ({ state, data }: any, extra) => ({ state, data: ["old", data, extra] }),
    });
    await sys.changeCode(pid, machine(style, changed), "extra");
    await sys.resume(pid);
    expect(await sys.getState(pid)).toEqual({ state: "idle", data: ["old", "data", "extra"] });
    await sys.suspend(pid);
    const other = style === STYLES[0] ? STYLES[1] : STYLES[0];
    await sys.changeCode(pid, machine(other, idle()));
    await sys.resume(pid);
    expect(await ask("get")).toEqual(["idle", ["old", "data", "extra"]]);
  });

  it("get_state: by pid, by name, suspended", async () => {
    const pid = await start(machine(style, idle()), "mine", { name: "gstm" });
    const state = { state: "idle", data: "mine" };
    expect(await sys.getState(pid)).toEqual(state);
    expect(await sys.getState("gstm", "5s")).toEqual(state);
    await sys.suspend(pid);
    expect(await sys.getState(pid)).toEqual(state);
    await sys.stopProcess(pid);
  });

  it("replace_state: leaves it alone when the function fails", async () => {
    const { ask, pid } = await running(style, idle());
    const replaced = await sys.replaceState(pid, ({ state }) => ({ state, data: "replaced" }));
    expect(replaced).toEqual({ state: "idle", data: "replaced" });
    await sys.replaceState(pid, () => ({ state: "other", data: "again" }));
    const failed = sys.replaceState(pid, () => {
      throw new Error("fail");
    });
    expect(await reasonOfRejection(failed)).toMatchObject({ callback_failed: "replaceState" });
    expect(await sys.getState(pid)).toEqual({ state: "other", data: "again" });
    expect(await ask("hello")).toBe("other");
    await sys.suspend(pid);
    await sys.replaceState(pid, ({ data }) => ({ state: "idle", data: `${data}!` }));
    await sys.resume(pid);
    expect(await ask("get")).toEqual(["idle", "again!"]);
  });

  it("call_format_status, format_all_status: state, timers, postponed events and the log", async () => {
    const { pid } = await running(style, {
      init: () => begin("idle", { secret: 1 }, timer("a", 1000, "tick")),
      states: { idle: (_, event: any) => (event.type === "info" ? postpone : undefined) },
      formatStatus: ({ state }: any) => `formatted ${state}`,
    } as Description);
    await sys.log(pid, true);
    send(pid, "hello");
    await settle();
    expect(await sys.getStatus(pid)).toMatchObject({
      state: "formatted idle",
      timers: [{ timer: "timer", name: "a", content: "tick" }],
      postponed: [{ type: "info", content: "hello" }],
      log: [{ in: "hello" }],
    });
    await sys.stopProcess(pid);
    expect(time.clock.pending).toBe(0);
  });

  it("crash_in_format_status: the status says so in place of the state", async () => {
    const { pid } = await running(style, {
      init: () => begin("idle", {}),
      states: { idle: () => undefined },
      formatStatus: () => {
        throw new Error("crash");
      },
    } as Description);
    const status = (await sys.getStatus(pid)) as { state: unknown };
    expect(status.state).toMatch(/:formatStatus crashed$/);
    await sys.stopProcess(pid);
  });

  it("pop_too_many: a behaviour is changed, pushed and popped", async () => {
    const says = (word: string, more: (event: any) => any = () => undefined) =>
      machine(style, {
        init: () => begin("idle", {}),
        states: { idle: (_, event: any) => (event.name === "hello" ? reply(word) : more(event)) },
      });
    const pops = (event: any) =>
      event.name === "go" ? keep(popCallbackModule(), reply("popped")) : undefined;
    const top = says("top", pops);
    const third = says("third", pops);
    const first = says("first", (event) => {
      if (event.name === "go") return keep(pushCallbackModule(top), reply("pushed"));
      if (event.name === "test") return keep(changeCallbackModule(third), reply("changed"));
    });
    const pid = await start(first, undefined);
    const end = endOf(pid);
    const ask = (name: string) => call(pid as any, name as never) as Promise<unknown>;
    const words = [];
    for (const name of ["hello", "go", "hello", "go", "hello", "test", "hello"]) words.push(await ask(name));
    expect(words).toEqual(["first", "pushed", "top", "popped", "first", "changed", "third"]);
    await reasonOfRejection(ask("go"));
    expect(String(end.reason)).toContain("no module was pushed");
  });

  it("enter may neither change the state nor postpone", async () => {
    for (const step of [next("idle"), postpone]) {
      await running(style, {
        stateEnter: true,
        init: () => begin("start", {}),
        states: { start: () => step, idle: () => undefined },
      });
      expect(reports.take()).toEqual([
        'crash statem TypeError: state "start": enter cannot change the state or postpone',
      ]);
    }
  });

  it("a handler that is a promise: events wait, and what it gives back counts", async () => {
    const open = gate();
    const seen: unknown[] = [];
    const { ask, pid } = await running(style, {
      init: () => begin("idle", {}),
      states: {
        idle: async (_, event: any) => {
          await open.promise;
          seen.push(event.name ?? event.content);
          return next("other", reply("done"));
        },
        other: (_, event: any) => void seen.push(["other", event.content]),
      },
    });
    const asked = ask("go");
    send(pid, "meanwhile");
    await settle();
    expect(seen).toEqual([]);
    open.open();
    expect(await asked).toBe("done");
    await settle();
    expect(seen).toEqual(["go", ["other", "meanwhile"]]);
  });
});

describe("a table per state", () => {
  const Door = genStatem({
    name: "door",
    init: (code: string) => begin("locked", { code, log: [] as string[] }),
    states: {
      locked: {
        enter: (self) => void self.data.log.push("locked"),
        leave: (self) => void self.data.log.push("leave"),
        calls: {
          press: (self, code: string) => (code === self.data.code ? next("open", reply(true)) : reply(false)),
        },
        casts: { knock: (self) => void self.data.log.push("knock") },
      },
      open: {
        enter: (self) => void self.data.log.push("open"),
        timeout: { after: "10s", do: next("locked") },
        calls: { log: (self) => reply([...self.data.log]) },
      },
    },
  });

  it("goes back after its timeout; leave runs between", async () => {
    const door = await start(Door, "1234");
    expect(await call(door, "press", "0000")).toBe(false);
    cast(door, "knock");
    expect(await call(door, "press", "1234")).toBe(true);
    await time.clock.advance(9_999);
    expect(await call(door, "log")).toEqual(["locked", "knock", "leave", "open"]);
    await time.clock.advance(1);
    expect(await sys.getState(door)).toMatchObject({ state: "locked" });
  });

  it("a call that the state does not list fails for its caller; a cast is a crash", async () => {
    const door = await start(Door, "1234");
    const end = endOf(door);
    await expect(call(door, "log")).rejects.toThrow('state "locked" has no call "log"');
    await call(door, "press", "1234");
    cast(door, "knock");
    await settle();
    expect(String(end.reason)).toContain('state "open" has no cast "knock"');
    expect(time.clock.pending).toBe(0);
  });

  it("mistakes are found when it is defined", () => {
    const init = () => begin("a", {});
    const made = (spec: unknown) => () => genStatem(spec as never);
    expect(made({ name: "", init, states: { a: {} } })).toThrow('"name" must be a non-empty string');
    expect(made({ name: "x", init, states: {} })).toThrow('"states" must have at least one state');
    expect(made({ name: "x", init })).toThrow('either "states" or "handleEvent"');
    expect(made({ name: "x", init, states: { a: { cals: {} } } })).toThrow('unknown key "cals"');
    expect(made({ name: "x", init, states: { a: { timeout: { after: "1 s", do: stop() } } } })).toThrow(
      "Expected a duration",
    );
  });
});

function processGone(pid: { process: unknown }): boolean {
  return pid.process === undefined;
}

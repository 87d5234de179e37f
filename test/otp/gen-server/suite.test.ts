/** Starting, stopping, messages: the portable cases of OTP's gen_server_SUITE. Titles begin with the case's name there. */
import { describe, expect, it } from "vitest";
import {
  call,
  callWithin,
  cast,
  DownMessage,
  type ExitReason,
  exit,
  genServer,
  register,
  send,
  start,
  startLink,
  sys,
  whereis,
} from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { settle } from "../../../src/otp/time/clock.js";
import { reasonOfRejection } from "../gen-statem/support.js";
import { endOf } from "../stage.js";
import { Listener, listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

type How = unknown[] | "ignore" | { readonly stop: ExitReason } | { readonly fails: ExitReason };

interface State {
  readonly log: unknown[];
  within: boolean;
}

/** The server that most cases of the suite run: it traps exits and writes down what happens to it. */
const Suite = genServer({
  name: "suite",
  trapExit: true,
  init: (how: How, self): State | "ignore" => {
    if (how === "ignore") return "ignore";
    if ("fails" in how) throw how.fails;
    if ("stop" in how) self.stop(how.stop);
    return { log: Array.isArray(how) ? how : [], within: false };
  },
  calls: {
    started: () => "ok" as const,
    within: (self, ms: number) => {
      self.state.within = true;
      self.timeoutAfter(ms);
    },
    next: (self) => self.state.within,
    stop: (self, reason: ExitReason = "stopped") => {
      self.stop(reason);
      return "ok" as const;
    },
    crash: (_, reason: ExitReason): never => {
      throw reason;
    },
  },
  casts: {
    handle: (self) => void self.state.log.push("handled"),
    delayed: (self, ms: number) => self.timeoutAfter(ms),
    stop: (self) => self.stop("stopped"),
  },
  info: (self, message) => {
    if (message === "stop") self.stop("stopped");
    else if (message === "delayed") self.timeoutAfter(1);
    else self.state.log.push(message);
  },
  timeout: (self) => {
    self.state.within = false;
    self.state.log.push(`timeout ${time.clock.now()}`);
  },
  terminate: (self, reason) => void self.state.log.push(["terminate", reason]),
});

describe("start", () => {
  it("start: anonymous; it answers, and when it has stopped there is no answer", async () => {
    const pid = await start(Suite, []);
    const end = endOf(pid);
    expect(await call(pid, "started")).toBe("ok");
    expect(await call(pid, "stop")).toBe("ok");
    await settle();
    expect(end.reason).toBe("stopped");
    expect(await reasonOfRejection(callWithin(1, pid, "started"))).toBe("noproc");
  });

  it("start: init ignores, fails, stops", async () => {
    expect(await reasonOfRejection(start(Suite, "ignore"))).toBe("ignore");
    expect(await reasonOfRejection(start(Suite, { fails: "foobar" }))).toBe("foobar");
    expect(await reasonOfRejection(start(Suite, { stop: "stopped" }))).toBe("stopped");
  });

  it("start: linked and monitored, the end is told with its reason", async () => {
    const parent = new Listener({ trapExit: true });
    const pid = await startLink(parent.pid, Suite, []);
    const watch = parent.monitor(pid);
    await call(pid, "stop");
    await settle();
    expect(parent.got).toHaveLength(2);
    expect(parent.got).toContainEqual({ exit: pid, reason: "stopped" });
    expect(parent.got.find((one) => one instanceof DownMessage)).toEqual({
      down: watch,
      pid,
      reason: "stopped",
    });
  });

  it("start: a name that is taken is refused, linked or not, and free after the end", async () => {
    const parent = new Listener({ trapExit: true });
    for (const options of [{}, { parent: parent.pid }]) {
      const pid = await start(Suite, [], { ...options, name: "my_test_name" });
      expect(whereis("my_test_name")).toBe(pid);
      for (const again of [{}, { parent: parent.pid }]) {
        const second = start(Suite, [], { ...again, name: "my_test_name" });
        expect(await reasonOfRejection(second)).toEqual({ already_started: pid });
      }
      await call(pid, "stop");
      await settle();
      expect(whereis("my_test_name")).toBeUndefined();
    }
    expect(parent.got).toHaveLength(1);
  });

  it("loop_start_fail: failing over and over leaves no name, no process, no timer behind", async () => {
    const parent = new Listener({ trapExit: true });
    for (let n = 0; n < 100; n++) {
      const how: How = n % 2 ? { stop: "failed" } : { fails: "failed" };
      const started = start(Suite, how, { name: "failing", parent: parent.pid });
      expect(await reasonOfRejection(started)).toBe("failed");
    }
    expect([processOf(parent.pid)?.links, time.clock.pending]).toEqual([[], 0]);
  });

  it("otp_7669: after a start that failed or was ignored the name is free at once", async () => {
    for (const how of ["ignore", { stop: "stopped" }, { fails: "failed" }] as const) {
      const free = start(Suite, how, { name: "armitage" }).catch(() => whereis("armitage"));
      expect(await free).toBeUndefined();
    }
  });

  it("spec_init_local_registered_parent: terminate runs when the parent has a name", async () => {
    const parent = new Listener();
    register("foobar", parent.pid);
    const logs: unknown[][] = [[], []];
    const [one] = await Promise.all(logs.map((log) => startLink(parent.pid, Suite, log)));
    cast(one!, "stop");
    exit(parent.pid, "oops");
    await settle();
    expect(logs).toEqual([[["terminate", "stopped"]], [["terminate", "oops"]]]);
  });
});

describe("stop", () => {
  it("stop1: anonymous, with reason normal; a second time there is no process", async () => {
    const pid = await start(Suite, []);
    await sys.stopProcess(pid);
    expect(pid.process).toBeUndefined();
    expect(await reasonOfRejection(sys.stopProcess(pid))).toBe("noproc");
  });

  it("stop2: with another reason", async () => {
    const log: unknown[] = [];
    const pid = await start(Suite, log);
    await sys.stopProcess(pid, "other_reason", Infinity);
    expect([pid.process, log]).toEqual([undefined, [["terminate", "other_reason"]]]);
  });

  it("stop3: a timeout that is none is refused at once, and the server goes on", async () => {
    const pid = await start(Suite, []);
    const stopped = sys.stopProcess(pid, "other_reason", "invalid_timeout" as never);
    const said = await Promise.race([reasonOfRejection(stopped), settle().then(() => "nothing")]);
    expect(said).toBeInstanceOf(TypeError);
    expect([await call(pid, "started"), processOf(pid)?.monitoredByCount]).toEqual(["ok", 0]);
    await sys.stopProcess(pid);
    expect(pid.process).toBeUndefined();
  });

  it("stop4: by name", async () => {
    const pid = await start(Suite, [], { name: "to_stop" });
    await sys.stopProcess("to_stop");
    expect([pid.process, whereis("to_stop")]).toEqual([undefined, undefined]);
    expect(await reasonOfRejection(sys.stopProcess("to_stop"))).toBe("noproc");
  });
});

describe("crash", () => {
  it("crash: with shutdown, thrown or stopped with, is no crash; linked processes get the reason", async () => {
    for (const reason of [{ shutdown: "reason" }, "shutdown"] as const) {
      const parent = new Listener({ trapExit: true });
      const thrown = await startLink(parent.pid, Suite, []);
      expect(await reasonOfRejection(call(thrown, "crash", reason))).toEqual(reason);
      const stopped = await startLink(parent.pid, Suite, []);
      expect(await call(stopped, "stop", reason)).toBe("ok");
      await settle();
      expect(parent.got).toEqual([thrown, stopped].map((pid) => ({ exit: pid, reason })));
    }
    expect(reports.take()).toEqual([]);
  });

  it("crash: with anything else is reported, and the caller has the reason", async () => {
    const log: unknown[] = [];
    const pid = await start(Suite, log);
    expect(await reasonOfRejection(call(pid, "crash", "crashed"))).toBe("crashed");
    expect(reports.take()).toEqual(["crash suite crashed"]);
    expect(reports.crash[0]).toMatchObject({ pid, initialCall: "suite:init/1", trapExit: true });
    expect(log).toEqual([["terminate", "crashed"]]);
  });
});

describe("messages", () => {
  it("call: two requests within a time that the server set itself", async () => {
    const pid = await start(Suite, []);
    await call(pid, "within", 1000);
    await time.clock.advance(500);
    expect(await call(pid, "next")).toBe(true);
    await call(pid, "within", 1000);
    await time.clock.advance(1500);
    expect(await call(pid, "next")).toBe(false);
  });

  it("cast: handled, delayed, and one that stops the server", async () => {
    const log: unknown[] = [];
    const pid = await start(Suite, log);
    cast(pid, "handle");
    cast(pid, "delayed", 1);
    await time.clock.advance(1);
    cast(pid, "stop");
    cast(pid, "handle");
    await settle();
    expect(log).toEqual(["handled", "timeout 1", ["terminate", "stopped"]]);
  });

  it("info: handled, delayed, and one that stops the server", async () => {
    const log: unknown[] = [];
    const pid = await start(Suite, log);
    for (const message of ["info", "delayed"]) send(pid, message);
    await time.clock.advance(1);
    send(pid, "stop");
    await settle();
    expect(log).toEqual(["info", "timeout 1", ["terminate", "stopped"]]);
  });
});

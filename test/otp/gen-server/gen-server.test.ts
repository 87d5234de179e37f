import { describe, expect, it } from "vitest";
import {
  call,
  callWithin,
  cast,
  genServer,
  type Self,
  start,
} from "../../../src/otp/gen-server/gen-server.js";
import type { ExitReason } from "../../../src/otp/process/exit-reason.js";
import { newPid } from "../../../src/otp/process/pid.js";
import {
  DownMessage,
  ExitMessage,
  onDown,
  processCount,
  processOf,
} from "../../../src/otp/process/process.js";
import { whereis } from "../../../src/otp/process/registry.js";
import { exit, send } from "../../../src/otp/process/signals.js";
import { child } from "../../../src/otp/supervisor/child.js";
import { settle } from "../../../src/otp/time/clock.js";
import { gate, Listener, listenToReports, manualClock, outcome } from "../support.js";

const time = manualClock();
const reports = listenToReports();

const Counter = genServer({
  name: "counter",
  init: (from: number) => ({ n: from }),
  calls: {
    get: (self) => self.state.n,
    add: (self, k: number) => {
      self.state.n += k;
      return self.state.n;
    },
    slow: async (self, until: Promise<unknown>) => {
      await until;
      return ++self.state.n;
    },
    crash: (_, error: unknown) => {
      throw error;
    },
    reject: async (_, error: unknown) => {
      throw error;
    },
    leave: (self, reason?: ExitReason) => {
      self.stop(reason);
      return "going";
    },
  },
  casts: {
    reset: (self, to: number) => {
      self.state.n = to;
    },
    crash: () => {
      throw new Error("cast");
    },
  },
});

/** A server that writes down what happens to it. */
function diary(options: { trapExit?: boolean; terminate?: () => void | Promise<void> } = {}) {
  const log: unknown[] = [];
  const server = genServer({
    name: "diary",
    trapExit: options.trapExit ?? false,
    init: () => ({}),
    calls: { where: (self) => self.pid, stop: (self, reason: ExitReason) => self.stop(reason) },
    casts: {
      die: () => {
        throw new Error("die");
      },
    },
    info: (_, message) => void log.push(message),
    terminate: (_, reason) => {
      log.push({ terminate: reason });
      return options.terminate?.();
    },
  });
  return { log, server };
}

/** How a process has ended, or will. */
function endOf(pid: Parameters<typeof onDown>[0]): { reason: ExitReason | undefined } {
  const end: { reason: ExitReason | undefined } = { reason: undefined };
  onDown(pid, (reason) => {
    end.reason = reason;
  });
  return end;
}

describe("start", () => {
  it("resolves when init is through, and the state is what it returned", async () => {
    const counter = await start(Counter, 5);
    expect(await call(counter, "get")).toBe(5);
    expect(counter.label).toBe("counter");
  });

  it("waits for an asynchronous init; messages wait as well", async () => {
    const ready = gate<{ n: number }>();
    let pid = newPid();
    const Slow = genServer({
      name: "slow",
      init: (_: undefined, self: Self<undefined>) => {
        pid = self.pid;
        return ready.promise;
      },
      calls: { get: (self) => self.state.n },
    });
    const starting = start(Slow, undefined);
    const early = call(pid as Awaited<typeof starting>, "get");
    await settle();
    ready.open({ n: 7 });
    expect(await early).toBe(7);
    expect(await starting).toBe(pid);
  });

  it("rejects with the reason for which init failed, and reports a crash", async () => {
    const error = new Error("no port");
    const Bad = genServer({
      name: "bad",
      init: (how: "throws" | "rejects"): { n: number } | Promise<{ n: number }> => {
        if (how === "throws") throw error;
        return Promise.reject(error);
      },
    });
    const before = processCount();
    for (const how of ["throws", "rejects"] as const) {
      expect(await outcome(start(Bad, how))).toMatchObject({ error: { name: "ProcessExit", reason: error } });
    }
    expect(reports.take()).toEqual(["crash bad Error: no port", "crash bad Error: no port"]);
    expect(processCount()).toBe(before);
  });

  it("rejects without a crash report when init ends in an orderly way", async () => {
    const Shy = genServer({
      name: "shy",
      init: (): { n: number } => {
        throw { shutdown: "not today" };
      },
    });
    expect(await outcome(start(Shy, undefined))).toMatchObject({
      error: { reason: { shutdown: "not today" } },
    });
    expect(reports.lines).toEqual([]);
  });

  it("rejects when init says stop: the server never ran, so terminate does not", async () => {
    let terminated = false;
    const Stopping = genServer({
      name: "stopping",
      init: (_: undefined, self) => {
        self.stop("no_config");
        return {};
      },
      terminate: () => {
        terminated = true;
      },
    });
    expect(await outcome(start(Stopping, undefined))).toMatchObject({ error: { reason: "no_config" } });
    expect(terminated).toBe(false);
    expect(reports.lines).toEqual(["crash stopping no_config"]);
  });

  it("says ignore to its supervisor when init does, and leaves no process and no report", async () => {
    const Ignoring = genServer({ name: "ignoring", init: (): { n: number } | "ignore" => "ignore" });
    const parent = new Listener({ trapExit: true });
    const before = processCount();
    expect(await child(Ignoring, undefined).start(parent.pid)).toBe("ignore");
    expect(await outcome(start(Ignoring, undefined))).toMatchObject({ error: { reason: "ignore" } });
    expect(processCount()).toBe(before);
    expect(reports.lines).toEqual([]);
  });

  it("rejects when the server is killed while its init hangs", async () => {
    let pid = newPid();
    const Hanging = genServer({
      name: "hanging",
      init: (_: undefined, self): Promise<{ n: number }> => {
        pid = self.pid;
        return new Promise(() => {});
      },
    });
    const starting = outcome(start(Hanging, undefined));
    await settle();
    exit(pid, "kill");
    expect(await starting).toMatchObject({ error: { reason: "killed" } });
  });

  it("rejects when its parent ends while its init hangs", async () => {
    const parent = new Listener();
    const Hanging = genServer({ name: "hanging", init: (): Promise<{ n: number }> => new Promise(() => {}) });
    const starting = outcome(start(Hanging, undefined, { parent: parent.pid }));
    await settle();
    parent.quit("oops");
    expect(await starting).toMatchObject({ error: { reason: "oops" } });
  });

  it("starts nothing for a parent that has ended", async () => {
    const parent = new Listener();
    parent.quit("normal");
    const before = processCount();
    expect(await outcome(start(Counter, 1, { parent: parent.pid }))).toMatchObject({
      error: { reason: "noproc" },
    });
    expect(processCount()).toBe(before);
  });

  it("registers the name before init runs, and refuses one that is taken", async () => {
    const Named = genServer({
      name: "named",
      init: () => ({ me: whereis("gs-named") }),
      calls: { me: (self) => self.state.me },
    });
    const first = await start(Named, undefined, { name: "gs-named" });
    expect(await call(first, "me")).toBe(first);
    expect(await outcome(start(Named, undefined, { name: "gs-named" }))).toMatchObject({
      error: { reason: { already_started: first }, message: `"gs-named" is already started as ${first}` },
    });
  });
});

describe("calls", () => {
  it("are answered in order, the next one after the promise of the one before", async () => {
    const counter = await start(Counter, 0);
    const { promise, open } = gate();
    const answers = [call(counter, "slow", promise), call(counter, "add", 10), call(counter, "get")];
    await settle();
    open();
    expect(await Promise.all(answers)).toEqual([1, 11, 11]);
  });

  it("time out without harm to the server, and the late answer is dropped", async () => {
    const counter = await start(Counter, 0);
    const { promise, open } = gate();
    const late = outcome(callWithin("1s", counter, "slow", promise));
    await time.clock.advance(1000);
    expect(await late).toMatchObject({ error: { reason: "timeout" } });
    open();
    expect(await call(counter, "get")).toBe(1);
  });

  it.each(["crash", "reject"] as const)(
    "whose handler fails (%s) end the server and the call with the error",
    async (how) => {
      const error = new Error("oops");
      const counter = await start(Counter, 0);
      expect(await outcome(call(counter, how, error))).toMatchObject({ error: { reason: error } });
      expect(processOf(counter)).toBeUndefined();
      expect(reports.lines).toEqual(["crash counter Error: oops"]);
    },
  );

  it("that no handler takes fail, and leave the server alone", async () => {
    const counter = await start(Counter, 3);
    for (const name of ["sub", "toString", "__proto__", "constructor"]) {
      expect(await outcome(call(counter as never, name as never))).toMatchObject({
        error: { message: `counter has no call "${name}"` },
      });
    }
    expect(await call(counter, "get")).toBe(3);
  });

  it("that stop the server are answered first", async () => {
    const counter = await start(Counter, 0);
    const end = endOf(counter);
    expect(await call(counter, "leave", { shutdown: "done" })).toBe("going");
    await settle();
    expect(end.reason).toEqual({ shutdown: "done" });
    expect(reports.lines).toEqual([]);
  });

  it("that stop it for an abnormal reason leave a crash report", async () => {
    const counter = await start(Counter, 0);
    await call(counter, "leave", "broken");
    await settle();
    expect(reports.lines).toEqual(["crash counter broken"]);
  });

  it("that wait behind the one that stops the server fail with its reason", async () => {
    const counter = await start(Counter, 0);
    const answers = [call(counter, "leave"), call(counter, "get")].map(outcome);
    expect(await Promise.all(answers)).toMatchObject([{ value: "going" }, { error: { reason: "normal" } }]);
  });
});

describe("casts and infos", () => {
  it("change the state without an answer", async () => {
    const counter = await start(Counter, 0);
    cast(counter, "reset", 40);
    cast(counter, "reset", 41);
    expect(await call(counter, "add", 1)).toBe(42);
  });

  it("to a server that has ended go nowhere", async () => {
    const counter = await start(Counter, 0);
    exit(counter, "kill");
    expect(() => cast(counter, "reset", 1)).not.toThrow();
  });

  it("that fail, or that no handler takes, end the server", async () => {
    const [first, second] = [await start(Counter, 0), await start(Counter, 0)];
    cast(first, "crash");
    cast(second as never, "toString" as never);
    await settle();
    expect(reports.lines).toEqual([
      "crash counter Error: cast",
      'crash counter Error: counter has no cast "toString"',
    ]);
  });

  it("of any other kind are infos, dropped where there is no handler for them", async () => {
    const { log, server } = diary();
    const pid = await start(server, undefined);
    const counter = await start(Counter, 1);
    send(pid, "hello");
    send(counter, "hello");
    await settle();
    expect(log).toEqual(["hello"]);
    expect(await call(counter, "get")).toBe(1);
  });

  it("bring the end of a process that is watched or linked", async () => {
    const { log, server } = diary({ trapExit: true });
    const pid = await start(server, undefined);
    const [linked, watched] = [new Listener(), new Listener()];
    linked.link(processOf(pid) as never);
    const ref = processOf(pid)?.monitor(watched.pid);
    linked.quit("oops");
    watched.quit("normal");
    await settle();
    expect(log).toEqual([
      new ExitMessage(linked.pid, "oops"),
      new DownMessage(ref as never, watched.pid, "normal"),
    ]);
  });
});

describe("the end of a server", () => {
  it.each<[string, ExitReason, readonly string[]]>([
    ["normal", "normal", []],
    ["an orderly one that says why", { shutdown: "x" }, []],
    ["an abnormal one", "broken", ["crash diary broken"]],
  ])("runs terminate with the reason of stop: %s", async (_, reason, lines) => {
    const { log, server } = diary();
    const pid = await start(server, undefined);
    const end = endOf(pid);
    await call(pid, "stop", reason);
    await settle();
    expect(log).toEqual([{ terminate: reason }]);
    expect(end.reason).toEqual(reason);
    expect(reports.lines).toEqual(lines);
  });

  it("runs terminate after a crash, and waits for it", async () => {
    const { promise, open } = gate();
    const { log, server } = diary({ terminate: () => promise });
    const pid = await start(server, undefined);
    cast(pid, "die");
    send(pid, "not handled any more");
    await settle();
    expect(log).toEqual([{ terminate: new Error("die") }]);
    expect(processOf(pid)).toBeDefined();
    open();
    await settle();
    expect(processOf(pid)).toBeUndefined();
    expect(log).toHaveLength(1);
    expect(reports.lines).toEqual(["crash diary Error: die"]);
  });

  it("has the reason that terminate fails with", async () => {
    const { server } = diary({
      terminate: async () => {
        throw "cannot_clean_up";
      },
    });
    const pid = await start(server, undefined);
    const end = endOf(pid);
    cast(pid, "die");
    await settle();
    expect(end.reason).toBe("cannot_clean_up");
    expect(reports.lines).toEqual(["crash diary cannot_clean_up"]);
  });

  it("by a signal runs no terminate, unless the server traps exits and the signal is its parent's", async () => {
    const parent = new Listener({ trapExit: true });
    const plain = diary();
    const trapping = diary({ trapExit: true });
    const first = await start(plain.server, undefined, { parent: parent.pid });
    const second = await start(trapping.server, undefined, { parent: parent.pid });
    exit(first, "shutdown", parent.pid);
    exit(second, "oops");
    await settle();
    expect(processOf(second)).toBeDefined();
    exit(second, "shutdown", parent.pid);
    await settle();
    expect([processOf(first), processOf(second)]).toEqual([undefined, undefined]);
    expect(plain.log).toEqual([]);
    expect(trapping.log).toEqual([expect.objectContaining({ reason: "oops" }), { terminate: "shutdown" }]);
  });

  it("follows its parent's end with the parent's reason", async () => {
    const parent = new Listener();
    const { log, server } = diary({ trapExit: true });
    const end = endOf(await start(server, undefined, { parent: parent.pid }));
    parent.quit("oops");
    await settle();
    expect(log).toEqual([{ terminate: "oops" }]);
    expect(end.reason).toBe("oops");
  });

  it("by kill runs nothing, even in the middle of terminate", async () => {
    const { log, server } = diary({ trapExit: true, terminate: () => new Promise(() => {}) });
    const pid = await start(server, undefined);
    const end = endOf(pid);
    cast(pid, "die");
    await settle();
    exit(pid, "kill");
    expect(end.reason).toBe("killed");
    expect(log).toHaveLength(1);
    expect(reports.lines).toEqual([]);
  });

  it("keeps to the first reason when stop is said twice", async () => {
    const Twice = genServer({
      name: "twice",
      init: () => ({}),
      casts: {
        go: (self) => {
          self.stop({ shutdown: 1 });
          self.stop({ shutdown: 2 });
        },
      },
    });
    const pid = await start(Twice, undefined);
    const end = endOf(pid);
    cast(pid, "go");
    await settle();
    expect(end.reason).toEqual({ shutdown: 1 });
  });
});

import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ExitReason } from "../../../src/otp/process/exit-reason.js";
import { Pid, parsePid } from "../../../src/otp/process/pid.js";
import {
  DownMessage,
  ExitMessage,
  onDown,
  processCount,
  processOf,
} from "../../../src/otp/process/process.js";
import { exit, send, useCarrier } from "../../../src/otp/process/signals.js";
import { settle } from "../../../src/otp/time/clock.js";
import { Listener, listenToReports, texts } from "../support.js";

const reports = listenToReports();

describe("pids", () => {
  it("print as <worker.serial> and are read again", () => {
    const { pid } = new Listener();
    expect(String(pid)).toMatch(/^<0\.\d+>$/);
    const read = parsePid(String(pid)) as Pid;
    expect(read).not.toBe(pid);
    expect(read.equals(pid)).toBe(true);
    expect(JSON.stringify({ pid })).toBe(`{"pid":"${pid}"}`);
  });

  it.each([
    "",
    "<>",
    "<1>",
    "1",
    "<1.2.3>",
    "<01.2>",
    "<1.0>",
    "<-1.2>",
    "<1.2",
    "a.b",
    "<1.9999999999999999>",
  ])("%j is no pid", (text) => {
    if (text === "<1.2") return expect(parsePid(text)?.serial).toBe(2);
    expect(parsePid(text)).toBeUndefined();
  });

  it("find their process while it lives, also when they were read from a text", () => {
    const process = new Listener({ label: "a" });
    const read = parsePid(String(process.pid)) as Pid;
    expect([processOf(process.pid), processOf(read), process.pid.label]).toEqual([process, process, "a"]);
    process.quit("normal");
    expect([processOf(process.pid), processOf(read), process.pid.label]).toEqual([undefined, undefined, ""]);
  });

  it("are counted, and no process is left in the table after its end", () => {
    const before = processCount();
    const some = Array.from({ length: 10 }, () => new Listener());
    expect(processCount()).toBe(before + 10);
    for (const one of some) one.quit("normal");
    expect(processCount()).toBe(before);
  });
});

describe("messages", () => {
  it("go to a pid, and nowhere when the process has ended", async () => {
    const process = new Listener();
    send(process.pid, "a");
    send(parsePid(String(process.pid)) as Pid, "b");
    await settle();
    process.quit("normal");
    send(process.pid, "c");
    await settle();
    expect(process.got).toEqual(["a", "b"]);
  });

  it("wait for the promise of the handler before them", async () => {
    const order: string[] = [];
    const process = new Listener({
      on: async (_, message) => {
        order.push(`${message} in`);
        await Promise.resolve();
        order.push(`${message} out`);
      },
    });
    process.deliver(1);
    process.deliver(2);
    expect(process.messageQueueLength).toBe(2);
    await settle();
    expect(order).toEqual(["1 in", "1 out", "2 in", "2 out"]);
  });

  it("that wait when the process ends are dropped", async () => {
    const process = new Listener({ on: (self) => self.quit("normal") });
    process.deliver(1);
    process.deliver(2);
    await settle();
    expect(process.got).toEqual([1]);
  });
});

describe("a handler that fails", () => {
  it("by a throw is a crash with that reason and a report", async () => {
    const error = new Error("oops");
    const process = new Listener({
      label: "a",
      on: () => {
        throw error;
      },
    });
    process.deliver("m");
    await settle();
    expect(process.end).toBe(error);
    expect(reports.crash[0]).toMatchObject({
      label: "a",
      initialCall: "a:init/1",
      pid: process.pid,
      reason: error,
    });
  });

  it("by a rejection is a crash as well, and the messages behind it are not handled", async () => {
    const process = new Listener({ on: () => Promise.reject("badarg") });
    process.deliver("m");
    process.deliver("n");
    await settle();
    expect([process.end, process.got]).toEqual(["badarg", ["m"]]);
    expect(reports.lines).toEqual(["crash listener badarg"]);
  });

  it("after its process has ended is not reported", async () => {
    let fail = (_: unknown) => {};
    const process = new Listener({ on: () => new Promise((_, reject) => (fail = reject)) });
    process.deliver("m");
    await settle();
    exit(process.pid, "kill");
    fail(new Error("too late"));
    await settle();
    expect(process.end).toBe("killed");
    expect(reports.lines).toEqual([]);
  });

  it("names in its report its links, its ancestors and what waited", async () => {
    const grandparent = new Listener({ trapExit: true });
    const parent = new Listener({ trapExit: true, parent: grandparent });
    const friend = new Listener({ trapExit: true });
    const process = new Listener({ parent, on: (self) => self.quit("oops") });
    process.link(friend);
    process.deliver(1);
    process.deliver(2);
    process.deliver(3);
    await settle();
    expect(reports.crash[0]).toMatchObject({
      ancestors: [parent.pid, grandparent.pid],
      links: [parent.pid, friend.pid],
      messageQueueLength: 2,
      trapExit: false,
      registeredName: undefined,
    });
  });

  it.each<ExitReason>(["normal", "shutdown", { shutdown: "x" }])(
    "with the reason %j is no crash",
    async (reason) => {
      const process = new Listener({ on: (self) => self.quit(reason) });
      process.deliver("m");
      await settle();
      expect(process.end).toEqual(reason);
      expect(reports.lines).toEqual([]);
    },
  );
});

describe("exit signals", () => {
  it.each<ExitReason>(["shutdown", "oops", { shutdown: 1 }])(
    "%j end a process that does not trap them",
    (reason) => {
      const process = new Listener();
      exit(process.pid, reason);
      expect([process.alive, process.end]).toEqual([false, reason]);
    },
  );

  it("leave no crash report: only what ends by its own fault does", () => {
    exit(new Listener().pid, "oops");
    expect(reports.lines).toEqual([]);
  });

  it("normal is ignored, unless a process sends it to itself", () => {
    const process = new Listener();
    exit(process.pid, "normal");
    expect(process.alive).toBe(true);
    exit(process.pid, "normal", process.pid);
    expect(process.end).toBe("normal");
  });

  it.each<ExitReason>(["normal", "shutdown", "oops"])(
    "%j are messages to a process that traps them",
    async (reason) => {
      const [sender, process] = [new Listener(), new Listener({ trapExit: true })];
      exit(process.pid, reason, sender.pid);
      await settle();
      expect(process.got).toEqual([new ExitMessage(sender.pid, reason)]);
      expect(process.alive).toBe(true);
    },
  );

  it("kill ends also what traps exits, and others see killed", async () => {
    const process = new Listener({ trapExit: true });
    const watcher = new Listener({ trapExit: true });
    watcher.link(process);
    exit(process.pid, "kill");
    await settle();
    expect(process.end).toBe("killed");
    expect(watcher.got).toEqual([new ExitMessage(process.pid, "killed")]);
  });

  it("act while a handler waits, and what the handler does later is ignored", async () => {
    let go = () => {};
    const process = new Listener({
      on: async (self) => {
        await new Promise<void>((resolve) => (go = resolve));
        self.quit("too late");
      },
    });
    process.deliver("m");
    await settle();
    exit(process.pid, "shutdown");
    go();
    await settle();
    expect(process.end).toBe("shutdown");
  });

  it("go to the carrier only when the process lives in another OS process", () => {
    const carried: string[] = [];
    useCarrier({
      send: (to, message) => carried.push(`send ${to} ${message}`),
      exit: (to, reason) => carried.push(`exit ${to} ${reason}`),
    });
    const dead = new Listener();
    dead.quit("normal");
    for (const pid of [dead.pid, new Pid(3, 7)]) {
      send(pid, "hello");
      exit(pid, "kill");
    }
    useCarrier(undefined);
    send(new Pid(3, 7), "nobody carries this");
    expect(carried).toEqual(["send <3.7> hello", "exit <3.7> kill"]);
  });
});

describe("links", () => {
  it("end both ways, with the reason of the one that ended", () => {
    const [a, b, c] = [new Listener(), new Listener(), new Listener()];
    a.link(b);
    c.link(b);
    a.quit("oops");
    expect([b.end, c.end]).toEqual(["oops", "oops"]);
  });

  it("carry a normal exit only to processes that trap exits", async () => {
    const [a, b, trapping] = [new Listener(), new Listener(), new Listener({ trapExit: true })];
    a.link(b);
    a.link(trapping);
    a.quit("normal");
    await settle();
    expect(b.alive).toBe(true);
    expect(b.links).toEqual([]);
    expect(trapping.got).toEqual([new ExitMessage(a.pid, "normal")]);
  });

  it("carry kill as a reason like any other: it can be trapped, and is not turned into killed", async () => {
    const [a, b, trapping] = [new Listener(), new Listener(), new Listener({ trapExit: true })];
    a.link(b);
    a.link(trapping);
    a.quit("kill");
    await settle();
    expect(b.end).toBe("kill");
    expect(trapping.got).toEqual([new ExitMessage(a.pid, "kill")]);
  });

  it("are one, however often they are made, and gone after one unlink", async () => {
    const [a, b] = [new Listener(), new Listener({ trapExit: true })];
    a.link(b);
    b.link(a);
    expect([texts(a.links), texts(b.links)]).toEqual([[String(b.pid)], [String(a.pid)]]);
    a.unlink(b);
    a.quit("oops");
    await settle();
    expect([a.links, b.links, b.got]).toEqual([[], [], []]);
  });

  it("to itself are nothing", () => {
    const a = new Listener();
    a.link(a);
    expect(a.links).toEqual([]);
    a.quit("oops");
  });

  it("to a process that has ended are an exit signal noproc", async () => {
    const dead = new Listener();
    dead.quit("normal");
    const [a, trapping] = [new Listener(), new Listener({ trapExit: true })];
    a.link(dead);
    trapping.link(dead);
    await settle();
    expect(a.end).toBe("noproc");
    expect(trapping.got).toEqual([new ExitMessage(dead.pid, "noproc")]);
  });

  it("tie a process to its parent from the first moment", () => {
    const parent = new Listener();
    const child = new Listener({ parent });
    expect([texts(parent.links), texts(child.links)]).toEqual([[String(child.pid)], [String(parent.pid)]]);
    parent.quit("oops");
    expect(child.end).toBe("oops");
  });

  it("to a parent can be taken away and made again", () => {
    const parent = new Listener();
    const child = new Listener({ parent });
    child.unlink(parent);
    expect([parent.links, child.links]).toEqual([[], []]);
    parent.link(child);
    child.quit("oops");
    expect(parent.end).toBe("oops");
  });

  it("end a process whose parent ended while it was being made", async () => {
    const parent = new Listener();
    parent.quit("oops");
    const [child, trapping] = [new Listener({ parent }), new Listener({ parent, trapExit: true })];
    await settle();
    expect(child.end).toBe("noproc");
    expect(trapping.got).toEqual([new ExitMessage(parent.pid, "noproc")]);
  });

  it("end a chain of 100,000 processes without a deep stack", () => {
    const chain = Array.from({ length: 100_000 }, () => new Listener());
    for (let n = 1; n < chain.length; n++) chain[n]?.link(chain[n - 1] as Listener);
    chain[50_000]?.quit("oops");
    expect(chain.every((one) => one.end === "oops")).toBe(true);
  });

  it("end a chain of 100,000 parents and children without a deep stack", () => {
    const chain = [new Listener()];
    for (let n = 1; n < 100_000; n++) chain.push(new Listener({ parent: chain[n - 1] as Listener }));
    chain[0]?.quit("oops");
    expect(chain.every((one) => one.end === "oops")).toBe(true);
  });

  it("end exactly those that are tied to the one that ended by a way of processes that do not trap", () => {
    const size = 12;
    const edge = fc.tuple(fc.nat(size - 1), fc.nat(size - 1));
    const traps = fc.array(fc.boolean(), { minLength: size, maxLength: size });
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 20 }), traps, fc.nat(size - 1), (edges, trapping, first) => {
        const processes = trapping.map((trapExit) => new Listener({ trapExit }));
        for (const [a, b] of edges) processes[a]?.link(processes[b] as Listener);
        const doomed = new Set([first]);
        const front = [first];
        for (let at = front.pop(); at !== undefined; at = front.pop()) {
          for (const [a, b] of edges) {
            const other = a === at ? b : b === at ? a : at;
            if (doomed.has(other) || trapping[other]) continue;
            doomed.add(other);
            front.push(other);
          }
        }
        processes[first]?.quit("oops");
        expect(processes.map((one) => one.alive)).toEqual(processes.map((_, n) => !doomed.has(n)));
      }),
    );
  });
});

describe("monitors", () => {
  it("tell once, each of them, with the reason", async () => {
    const [a, watcher] = [new Listener(), new Listener()];
    const [first, second] = [watcher.monitor(a.pid), watcher.monitor(a.pid)];
    a.quit("oops");
    await settle();
    expect(watcher.got).toEqual([
      new DownMessage(first, a.pid, "oops"),
      new DownMessage(second, a.pid, "oops"),
    ]);
    expect((watcher.got[0] as DownMessage).down).toBe(first);
    expect(watcher.alive).toBe(true);
  });

  it("tell of a normal end too", async () => {
    const [a, watcher] = [new Listener(), new Listener()];
    watcher.monitor(a.pid);
    a.quit("normal");
    await settle();
    expect(watcher.got).toMatchObject([{ reason: "normal" }]);
  });

  it("of a process that has ended tell noproc", async () => {
    const [a, watcher] = [new Listener(), new Listener()];
    a.quit("oops");
    const ref = watcher.monitor(a.pid);
    await settle();
    expect(watcher.got).toEqual([new DownMessage(ref, a.pid, "noproc")]);
  });

  it("find the process by a pid that was read from a text", async () => {
    const [a, watcher] = [new Listener(), new Listener()];
    const reasons: ExitReason[] = [];
    watcher.monitor(parsePid(String(a.pid)) as Pid);
    onDown(parsePid(String(a.pid)) as Pid, (reason) => reasons.push(reason));
    await settle();
    expect([watcher.got, reasons]).toEqual([[], []]);
    a.quit("oops");
    await settle();
    expect(watcher.got).toMatchObject([{ reason: "oops" }]);
    expect(reasons).toEqual(["oops"]);
  });

  it("that were taken away tell nothing, even of a process that had ended before", async () => {
    const [a, dead, watcher] = [new Listener(), new Listener(), new Listener()];
    dead.quit("normal");
    watcher.demonitor(watcher.monitor(a.pid));
    watcher.demonitor(watcher.monitor(dead.pid));
    a.quit("oops");
    await settle();
    expect(watcher.got).toEqual([]);
  });

  it("end with the process that watches", async () => {
    const [a, watcher] = [new Listener(), new Listener()];
    watcher.monitor(a.pid);
    watcher.quit("normal");
    a.quit("oops");
    await settle();
    expect(watcher.got).toEqual([]);
  });

  it("are removed on both sides, so that watching many short processes does not fill the memory", async () => {
    const watcher = new Listener({ on: () => {} });
    const watched = new Listener();
    for (let n = 0; n < 1000; n++) {
      const brief = new Listener();
      watcher.monitor(brief.pid);
      brief.quit("normal");
      watcher.demonitor(watcher.monitor(watched.pid));
    }
    await settle();
    expect(watcher.monitorCount).toBe(0);
    expect(watched.monitoredByCount).toBe(0);
  });

  it("of code that is no process can be taken back", async () => {
    const a = new Listener();
    const reasons: ExitReason[] = [];
    onDown(a.pid, (reason) => reasons.push(reason));
    onDown(a.pid, () => reasons.push("never"))();
    a.quit("oops");
    onDown(a.pid, (reason) => reasons.push(reason));
    onDown(a.pid, () => reasons.push("never"))();
    await settle();
    expect(reasons).toEqual(["oops", "noproc"]);
  });

  it("of code that throws keep no other from being told of the exit", async () => {
    const uncaught: unknown[] = [];
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error));
    const [a, linked, watcher] = [new Listener(), new Listener(), new Listener()];
    a.link(linked);
    onDown(a.pid, () => {
      throw new Error("watcher");
    });
    watcher.monitor(a.pid);
    onDown(linked.pid, () => uncaught.push("told"));
    a.quit("oops");
    await settle();
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
    expect(watcher.got).toMatchObject([{ reason: "oops" }]);
    expect(uncaught).toEqual(["told", new Error("watcher")]);
  });
});

describe("takeExit", () => {
  it("takes the exit of one process out of the mailbox, wherever it stands", () => {
    const process = new Listener({ trapExit: true });
    const [a, b] = [new Listener(), new Listener()];
    process.deliver("first");
    exit(process.pid, "one", a.pid);
    exit(process.pid, "two", b.pid);
    expect([process.takeExit(b.pid), process.takeExit(b.pid), process.messageQueueLength]).toEqual([
      "two",
      undefined,
      2,
    ]);
  });
});

it("is shown by its pid and label, with nothing of linked processes or their state", () => {
  const parent = new Listener({ label: "parent" });
  const [one, other] = ["one", "other"].map((label) => new Listener({ parent, label })) as [
    Listener,
    Listener,
  ];
  other.got.push("a secret");
  expect(inspect({ one }, { depth: 9 })).not.toContain("a secret");
  expect(JSON.parse(JSON.stringify({ one }))).toEqual({ one: { pid: String(one.pid), label: "one" } });
});

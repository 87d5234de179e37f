/** Looking into processes: OTP's sys_SUITE. Titles begin with the case's name there. */
import { channel } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { call, cast, genServer, start, startLink } from "../../../src/otp/gen-server/gen-server.js";
import { processOf } from "../../../src/otp/process/process.js";
import { exit, send } from "../../../src/otp/process/signals.js";
import { DynamicSupervisor } from "../../../src/otp/supervisor/dynamic/dynamic-supervisor.js";
import { startSupervisor } from "../../../src/otp/supervisor/supervisor.js";
import * as sys from "../../../src/otp/sys/sys.js";
import { settle } from "../../../src/otp/time/clock.js";
import { reasonOfRejection } from "../gen-statem/support.js";
import { endOf, Stage } from "../stage.js";
import { gate, Listener, listenToReports, manualClock, outcome } from "../support.js";

const time = manualClock();
const reports = listenToReports();

const Public = genServer({
  name: "public",
  init: () => ({ n: 44 }),
  calls: {
    get: (self) => self.state.n,
    slow: (_, until: Promise<void>) => until,
  },
  casts: {
    add: (self, k: number) => {
      self.state.n += k;
    },
  },
  codeChange: (old, extra) => ({ n: old.n + (extra as number) }),
  formatStatus: (state) => `n is ${state.n}`,
});

describe("sys", () => {
  it("log: the last events, and no longer", async () => {
    const pid = await start(Public, undefined);
    expect(await sys.log(pid, "get")).toEqual([]);
    await sys.log(pid, true);
    await call(pid, "get");
    expect(await sys.log(pid, "get")).toMatchObject([{ in: { name: "get" } }, { out: 44 }]);
    await sys.log(pid, 1);
    expect(await sys.log(pid, "get")).toEqual([{ out: 44 }]);
    cast(pid, "add", 1);
    expect(await sys.log(pid, "get")).toMatchObject([{ in: { name: "add", args: [1] } }]);
    await sys.log(pid, false);
    expect(processOf(pid)?.sys).toBeUndefined();
  });

  it("log: keeps ten unless told otherwise", async () => {
    const pid = await start(Public, undefined);
    await sys.log(pid, true);
    for (let n = 0; n < 20; n++) cast(pid, "add", n);
    const log: any[] = await sys.log(pid, "get");
    expect(log.map(({ in: message }) => message.args[0])).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  it("stats: counts messages and answers, from when it was asked to", async () => {
    const pid = await start(Public, undefined);
    expect(await sys.statistics(pid, "get")).toBe("no_statistics");
    await sys.statistics(pid, true);
    await call(pid, "get");
    cast(pid, "add", 1);
    await time.clock.advance(100);
    expect(await sys.statistics(pid, "get")).toEqual({ elapsed: 100, messagesIn: 2, messagesOut: 1 });
    await sys.statistics(pid, false);
    expect(await sys.statistics(pid, "get")).toBe("no_statistics");
    expect(processOf(pid)?.sys).toBeUndefined();
  });

  it("trace: on the channel, as long as it is on", async () => {
    const seen: any[] = [];
    const listener = (event: unknown) => void seen.push(event);
    channel("otp.trace").subscribe(listener);
    const pid = await start(Public, undefined);
    await sys.trace(pid, true);
    await call(pid, "get");
    await sys.trace(pid, false);
    await call(pid, "get");
    channel("otp.trace").unsubscribe(listener);
    expect(seen).toMatchObject([
      { pid, label: "public", event: { in: { name: "get" } } },
      { pid, label: "public", event: { out: 44 } },
    ]);
  });

  it("suspend: messages wait, in their order; sys and signals do not", async () => {
    const pid = await start(Public, undefined);
    expect(await sys.suspend(pid)).toBe("ok");
    expect(await sys.suspend(pid)).toBe("ok");
    cast(pid, "add", 1);
    const asked = call(pid, "get");
    await settle();
    expect(await sys.getState(pid)).toEqual({ n: 44 });
    expect((await sys.getStatus(pid)).messageQueueLength).toBe(2);
    await sys.resume(pid);
    expect(await asked).toBe(45);
    expect(await sys.resume(pid)).toBe("ok");
    await sys.suspend(pid);
    exit(pid, "kill");
    expect(await reasonOfRejection(sys.getState(pid))).toBe("noproc");
  });

  it("suspend: questions that stood behind it in the mailbox are answered", async () => {
    const pid = await start(Public, undefined);
    const [, state, status] = await Promise.all([sys.suspend(pid), sys.getState(pid), sys.getStatus(pid)]);
    expect(state).toEqual({ n: 44 });
    expect(status.status).toBe("suspended");
    const [resumed, again] = await Promise.all([sys.resume(pid), sys.getState(pid)]);
    expect([resumed, again]).toEqual(["ok", { n: 44 }]);
  });

  it("suspend: the parent's exit is obeyed, whether it came before or comes after", async () => {
    const Trapping = genServer({ name: "trapping", trapExit: true, init: () => ({}) });
    for (const first of ["exit", "suspend"]) {
      const parent = new Listener();
      const pid = await startLink(parent.pid, Trapping, undefined);
      const end = endOf(pid);
      const suspended = first === "suspend" ? sys.suspend(pid) : outcome(sys.suspend(pid));
      if (first === "suspend") await suspended;
      parent.quit("shutdown");
      await settle();
      expect(end.reason).toBe("shutdown");
    }
  });

  it("install: a function is told until it is done, fails, or is removed", async () => {
    const pid = await start(Public, undefined);
    const told: string[] = [];
    await sys.install(pid, "twice", () => {
      told.push("twice");
      return told.filter((one) => one === "twice").length === 2 ? "done" : undefined;
    });
    await sys.install(pid, "fails", () => {
      told.push("fails");
      throw new Error("its own");
    });
    await sys.install(pid, "always", () => void told.push("always"));
    for (let n = 0; n < 3; n++) cast(pid, "add", 1);
    expect(await sys.remove(pid, "always")).toBe("ok");
    expect(await sys.remove(pid, "always")).toBe("not_found");
    expect(told).toEqual(["twice", "fails", "always", "twice", "always", "always"]);
    expect(processOf(pid)?.sys).toBeUndefined();
    expect(await call(pid, "get")).toBe(47);
  });

  it("special_process: any process answers; what it does not have it says", async () => {
    const plain = new Listener();
    expect(await sys.getState(plain.pid)).toBeUndefined();
    expect(await reasonOfRejection(sys.replaceState(plain.pid, () => 1))).toMatchObject({
      callback_failed: "replaceState",
    });
    await sys.suspend(plain.pid);
    send(plain.pid, "hello");
    await settle();
    expect(plain.got).toEqual([]);
    await sys.resume(plain.pid);
    await settle();
    expect(plain.got).toEqual(["hello"]);
    await sys.suspend(plain.pid);
    await expect(sys.changeCode(plain.pid, Public)).rejects.toThrow("has no code to change");
    await sys.stopProcess(plain.pid);
    expect(plain.end).toBe("normal");
  });

  it("a process that is busy answers when its handler has ended; the caller gives up after 5 seconds", async () => {
    const pid = await start(Public, undefined);
    const open = gate();
    const slow = call(pid, "slow", open.promise);
    const asked = sys.getState(pid, Infinity);
    const impatient = outcome(sys.getState(pid));
    slow.catch(() => {});
    await time.clock.advance(5000);
    expect(((await impatient) as any).error.reason).toBe("timeout");
    open.open();
    expect(await asked).toEqual({ n: 44 });
  });

  it("get_state, replace_state, change_code, get_status of a server", async () => {
    const pid = await start(Public, undefined, { name: "named" });
    expect(await sys.replaceState("named", ({ n }) => ({ n: n + 1 }))).toEqual({ n: 45 });
    await sys.suspend(pid);
    await sys.changeCode(pid, Public, 5);
    await sys.resume(pid);
    expect(await call(pid, "get")).toBe(50);
    expect(await sys.getStatus(pid)).toMatchObject({
      pid,
      label: "public",
      registeredName: "named",
      status: "running",
      state: "n is 50",
    });
    await sys.stopProcess("named", "shutdown");
  });

  it("supervisors show their children, and end in good order when they are stopped", async () => {
    const stage = new Stage();
    const root = await startSupervisor("root", {}, [stage.child("a"), stage.child("b")]);
    expect(await sys.getState(root)).toMatchObject({ children: [{ id: "b" }, { id: "a" }] });
    stage.take();
    await sys.stopProcess(root, "shutdown");
    expect(stage.take()).toEqual(["-b shutdown", "-a shutdown"]);
    const many = new DynamicSupervisor("many", { start: (parent) => stage.start("c", parent) }, undefined);
    many.startNow();
    await sys.stopProcess(many.pid, "shutdown");
    expect(stage.take()).toEqual(["+c", "-c shutdown"]);
    expect(reports.lines).toEqual(["root: progress a", "root: progress b"]);
  });
});

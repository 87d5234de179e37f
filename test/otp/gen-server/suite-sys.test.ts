/** What is missing, and sys: OTP's gen_server_SUITE. Titles begin with the case's name there. */
import { describe, expect, it } from "vitest";
import {
  call,
  cast,
  type ExitReason,
  genServer,
  onDown,
  send,
  start,
  startLink,
  sys,
} from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { settle } from "../../../src/otp/time/clock.js";
import { reasonOfRejection } from "../gen-statem/support.js";
import { endOf } from "../stage.js";
import { Listener, listenToReports, manualClock } from "../support.js";

manualClock();
const reports = listenToReports();

/** Has what it must have, and nothing besides. */
const Bare = genServer({ name: "bare", init: () => ({ value: 1 }) });

const ask = (pid: unknown, name: string) => call(pid as never, name as never) as Promise<unknown>;

describe("what is missing", () => {
  it("undef_init: a server without init does not start", async () => {
    const Without = genServer({ name: "without" } as never);
    const parent = new Listener({ trapExit: true });
    expect(await reasonOfRejection(start(Without, undefined as never))).toBeInstanceOf(TypeError);
    const linked = startLink(parent.pid, Without, undefined as never);
    expect(await reasonOfRejection(linked)).toBeInstanceOf(TypeError);
    await settle();
    expect(parent.got).toMatchObject([{ reason: expect.any(TypeError) }]);
    expect(processOf(parent.pid)?.links).toEqual([]);
  });

  it("undef_handle_call: fails for the caller, and leaves the server alone", async () => {
    const pid = await start(Bare, undefined);
    expect(await reasonOfRejection(ask(pid, "nothing"))).toEqual(new Error('bare has no call "nothing"'));
    expect(await sys.getState(pid)).toEqual({ value: 1 });
  });

  it("undef_handle_cast, undef_handle_continue: end the server with a crash", async () => {
    const Going = genServer({
      ...Bare,
      init: (_: undefined, self) => {
        self.continueWith(1);
        return { value: 1 };
      },
    });
    const pid = await start(Bare, undefined);
    cast(pid as never, "nothing" as never);
    await start(Going, undefined);
    await settle();
    expect(reports.take()).toEqual(
      ['crash bare Error: bare has no "continue"', 'crash bare Error: bare has no cast "nothing"'].sort(),
    );
    expect(pid.process).toBeUndefined();
  });

  it("undef_handle_info: the message is dropped", async () => {
    const pid = await start(Bare, undefined);
    send(pid, "hej");
    await settle();
    expect([processOf(pid)?.messageQueueLength, reports.take()]).toEqual([0, []]);
  });

  it("undef_in_handle_info: an info that calls what there is not ends the server with a crash", async () => {
    const pid = await start(genServer({ ...Bare, info: () => (undefined as any)() }), undefined);
    let end: ExitReason = "normal";
    onDown(pid, (reason) => void (end = reason));
    send(pid, "call_undef_fun");
    await settle();
    expect([end, reports.take().length]).toEqual([expect.any(TypeError), 1]);
  });

  it("undef_code_change: the state stays; a codeChange that fails leaves the old code", async () => {
    const Failing = genServer({
      ...Bare,
      calls: { get: () => "new" },
      codeChange: () => {
        throw new Error("undef");
      },
    });
    const New = genServer({ ...Bare, calls: { get: (self) => self.state.value } });
    const pid = await start(Bare, undefined);
    await sys.suspend(pid);
    await sys.replaceState(pid, () => ({ value: 2 }));
    expect(await reasonOfRejection(sys.changeCode(pid, Failing))).toEqual(new Error("undef"));
    await sys.resume(pid);
    expect(await reasonOfRejection(ask(pid, "get"))).toEqual(new Error('bare has no call "get"'));
    await sys.suspend(pid);
    await sys.changeCode(pid, New);
    await sys.resume(pid);
    expect(await ask(pid, "get")).toBe(2);
  });

  it("undef_terminate1, undef_terminate2: without terminate it ends with the reason all the same", async () => {
    for (const reason of ["normal", { error: "test" }] as const) {
      const pid = await start(Bare, undefined);
      const end = endOf(pid);
      await sys.stopProcess(pid, reason);
      expect(end.reason).toEqual(reason);
    }
  });

  it("undef_in_terminate: the caller of stop is told what terminate failed with", async () => {
    const pid = await start(genServer({ ...Bare, terminate: () => (undefined as any)() }), undefined);
    expect(await reasonOfRejection(sys.stopProcess(pid))).toBeInstanceOf(TypeError);
    expect(pid.process).toBeUndefined();
  });
});

describe("sys", () => {
  it("call_format_status: the state as formatStatus shows it, running, suspended, by name", async () => {
    const Shown = genServer({ ...Bare, formatStatus: ({ value }) => `formatted ${value}` });
    const pid = await start(Shown, undefined, { name: "shown" });
    for (const status of ["running", "suspended"] as const) {
      for (const who of [pid, "shown"])
        expect(await sys.getStatus(who, 5000)).toMatchObject({ status, state: "formatted 1" });
      await sys.suspend(pid);
    }
    const bare = await start(Bare, undefined);
    expect(await sys.getStatus(bare)).toMatchObject({ state: { value: 1 } });
    await Promise.all([sys.stopProcess(pid), sys.stopProcess(bare)]);
  });

  it("crash_in_format_status, throw_in_format_status: the status says so in place of the state", async () => {
    for (const thrown of [new Error("crash"), "throw"]) {
      const formatStatus = () => {
        throw thrown;
      };
      const pid = await start(genServer({ ...Bare, formatStatus }), undefined);
      expect(await sys.getStatus(pid)).toMatchObject({
        status: "running",
        state: "bare:formatStatus crashed",
      });
      expect(await sys.getState(pid)).toEqual({ value: 1 });
    }
  });

  it("get_state: by name and by pid, also when it is suspended", async () => {
    const pid = await start(Bare, undefined, { name: "get_state" });
    for (const who of [pid, "get_state"]) {
      const state = processOf(pid)?.systemState;
      expect([await sys.getState(who), await sys.getState(who, 5000)]).toEqual([state, state]);
    }
    await sys.suspend(pid);
    expect(await sys.getState(pid)).toEqual({ value: 1 });
    await sys.stopProcess(pid);
  });

  it("replace_state: by name and by pid, not when it fails, also when it is suspended", async () => {
    const pid = await start(Bare, undefined, { name: "replace_state" });
    const more = ({ value }: { value: number }) => ({ value: value + 1 });
    expect(await sys.replaceState("replace_state", more)).toEqual({ value: 2 });
    expect(await sys.replaceState(pid, more, 5000)).toEqual({ value: 3 });
    const failing = sys.replaceState(pid, () => {
      throw "fail";
    });
    expect(await reasonOfRejection(failing)).toEqual({ callback_failed: "replaceState", reason: "fail" });
    expect(await sys.getState(pid)).toEqual({ value: 3 });
    await sys.suspend(pid);
    expect(await sys.replaceState(pid, more)).toEqual({ value: 4 });
    await sys.resume(pid);
    expect(await sys.getState(pid)).toEqual({ value: 4 });
    await sys.stopProcess(pid);
  });
});

import { describe, expect, it } from "vitest";
import { Pid } from "../../src/otp/process/pid.js";
import { crashText, progressText, supervisorText, timestamp } from "../../src/telemetry/log/sasl.js";
import { crashWith, echoChild, killed, typeError, WHEN } from "./samples.js";

describe("the text of SASL", () => {
  it("is that of a SUPERVISOR REPORT, letter for letter", () => {
    expect(supervisorText(killed, WHEN)).toBe(
      `=SUPERVISOR REPORT==== 22-Nov-2026::16:08:22.879000 ===
    supervisor: {local,connections}
    errorContext: child_terminated
    reason: killed
    offender: [{pid,<1.17>},{id,undefined},{mfargs,{echo,start_link,[]}},{restart_type,temporary},{significant,false},{shutdown,2000},{child_type,worker}]
`,
    );
  });

  it("is that of a report of a supervisor that gives up", () => {
    const offender = {
      ...echoChild,
      pid: new Pid(1, 4),
      id: "listener",
      mfargs: ["tcp_listener", "start_link", [2222, "::"]] as const,
      restartType: "permanent" as const,
      shutdown: "brutal_kill" as const,
    };
    const report = {
      supervisor: "tcp_server",
      errorContext: "shutdown" as const,
      reason: "reached_max_restart_intensity",
      offender,
    };
    expect(supervisorText(report, WHEN)).toBe(
      `=SUPERVISOR REPORT==== 22-Nov-2026::16:08:22.879000 ===
    supervisor: {local,tcp_server}
    errorContext: shutdown
    reason: reached_max_restart_intensity
    offender: [{pid,<1.4>},{id,listener},{mfargs,{tcp_listener,start_link,[2222,'::']}},{restart_type,permanent},{significant,false},{shutdown,brutal_kill},{child_type,worker}]
`,
    );
  });

  it("counts the children of a dynamic supervisor in place of a pid", () => {
    const offender = { ...echoChild, pid: undefined, nbChildren: 3, shutdown: Infinity };
    const report = {
      supervisor: "connections",
      errorContext: "shutdown_error" as const,
      reason: "killed",
      offender,
    };
    expect(supervisorText(report, WHEN)).toContain(
      "    offender: [{nb_children,3},{id,undefined},{mfargs,{echo,start_link,[]}},{restart_type,temporary},{significant,false},{shutdown,infinity},{child_type,worker}]\n",
    );
  });

  it("says where a start has failed, because no crash report does", () => {
    const report = { ...killed, errorContext: "start_error" as const, reason: typeError() };
    expect(supervisorText(report, WHEN)).toContain(
      "    reason: TypeError: boom\n      at frame (echo.ts:7:3)\n      at run (connection.ts:9:1)\n    offender: [",
    );
  });

  it("is that of a PROGRESS REPORT", () => {
    expect(progressText({ supervisor: "connections", started: echoChild }, WHEN)).toBe(
      `=PROGRESS REPORT==== 22-Nov-2026::16:08:22.879000 ===
    supervisor: {local,connections}
    started: [{pid,<1.17>},{id,undefined},{mfargs,{echo,start_link,[]}},{restart_type,temporary},{significant,false},{shutdown,2000},{child_type,worker}]
`,
    );
  });

  it("is that of a CRASH REPORT, with the stack of the error", () => {
    expect(crashText(crashWith(typeError()), WHEN)).toBe(
      `=CRASH REPORT==== 22-Nov-2026::16:08:22.879000 ===
  crasher:
    initial call: echo:init/1
    pid: <1.17>
    registered_name: []
    exception error: TypeError: boom
      at frame (echo.ts:7:3)
      at run (connection.ts:9:1)
    ancestors: [<1.3>,<1.2>]
    message_queue_len: 4
    links: [<1.3>]
    trap_exit: false
  neighbours:
`,
    );
  });

  it("names state and peer of a connection that crashed", () => {
    const details = { state: "talking", peer: { address: "10.0.0.7", port: 51_234 } };
    expect(crashText({ ...crashWith("badarg"), details }, WHEN)).toContain(
      "    trap_exit: false\n    state: talking\n    peer: 10.0.0.7:51234\n  neighbours:",
    );
  });

  it("calls a crash without an error an exit", () => {
    expect(crashText(crashWith("badarg"), WHEN)).toContain("    exception exit: badarg\n    ancestors:");
  });

  it("writes microseconds where the clock knows them", () => {
    expect(timestamp(WHEN)).toBe("22-Nov-2026::16:08:22.879000");
    expect(timestamp(WHEN + 0.5)).toBe("22-Nov-2026::16:08:22.879500");
  });
});

describe("what a client has sent", () => {
  it("cannot forge a line or drive a terminal", () => {
    const evil = "x\n=SUPERVISOR REPORT==== now ===\r\x1b[2J\x9b31m\u202eend";
    const text =
      crashText(crashWith(evil), WHEN) + supervisorText({ ...killed, reason: new Error(evil) }, WHEN);
    expect(text).toContain("x\\n=SUPERVISOR REPORT==== now ===\\r\\x1b[2J\\x9b31m\\u202eend");
    expect(text.split("\n").filter((line) => line.startsWith("="))).toHaveLength(2);
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  });

  it("cannot make a report longer than it likes", () => {
    expect(crashText(crashWith("x".repeat(1e6)), WHEN).length).toBeLessThan(2000);
    const links = Array.from({ length: 10_000 }, (_, at) => new Pid(1, at + 1));
    expect(crashText({ ...crashWith("badarg"), links }, WHEN)).toContain("<1.20>,… (+9980)]");
  });

  it("is printed as unprintable when it cannot be printed", () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const reason of [circular, Object.create(null)]) {
      expect(crashText(crashWith(reason), WHEN)).toContain("    exception exit: unprintable\n");
    }
  });
});

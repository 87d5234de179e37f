import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminFailures } from "../../src/admin/events.js";
import {
  crashReports,
  progressReports,
  supervisorReports,
  unhandledRejections,
} from "../../src/otp/events.js";
import { Pid } from "../../src/otp/process/pid.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import {
  connectionClosed,
  connectionOpened,
  handlerTimeouts,
  listenerEvents,
  memoryBounds,
} from "../../src/tcp/observe/events.js";
import { type Log, type LogOptions, openLog } from "../../src/telemetry/log/log.js";
import { closedIdle, crashWith, echoChild, hostile, killed, listening, typeError } from "./samples.js";

let folder: string;
let file: string;
let log: Log;
const clock = new ManualClock();
let restoreClock: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-log-"));
  file = join(folder, "log");
  restoreClock = useClock(clock);
});

afterEach(() => {
  log.close();
  restoreClock();
  rmSync(folder, { recursive: true });
});

function open(options: Partial<LogOptions> = {}): Log {
  log = openLog({ level: "info", format: "json", worker: 2, name: "drover", file, ...options });
  return log;
}

async function text(): Promise<string> {
  await log.idle();
  return readFileSync(file, "utf8");
}

async function lines(): Promise<any[]> {
  return (await text())
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe("a line of JSON", () => {
  it("carries the time, the level as a word, the worker, its OS process and the message", async () => {
    open().info("hello", { port: 2222 });
    expect(await lines()).toEqual([
      {
        level: "info",
        time: expect.any(String),
        worker: 2,
        osPid: process.pid,
        name: "drover",
        port: 2222,
        msg: "hello",
      },
    ]);
    expect(new Date((await lines())[0].time).toISOString()).toBe((await lines())[0].time);
  });

  it("shows an error with type, message and stack", async () => {
    open().error("failed", { err: typeError() });
    const stack = "TypeError: boom\n    at frame (echo.ts:7:3)\n    at run (connection.ts:9:1)";
    expect((await lines())[0].err).toEqual({ type: "TypeError", message: "boom", stack });
  });

  it("cannot be given a second level, time or worker by a field", async () => {
    open().info("hello", { level: "fatal", worker: 9, msg: "bye", 'a":1,"b': "c" });
    expect(await text()).toMatch(/^\{"level":"info"/);
    expect((await lines())[0]).toMatchObject({
      level: "info",
      worker: 2,
      msg: "hello",
      level_: "fatal",
      worker_: 9,
      msg_: "bye",
      a__1__b: "c",
    });
  });

  it("stays one line without control characters, and reads back as what was written", async () => {
    const evil = 'a\n{"level":"fatal"}\r\x1b[2J\x7f\x9b31m\u2028\u202e"\\';
    open().info(evil, { peer: evil });
    expect(await text()).not.toMatch(/[^\P{Cc}\n]|[\p{Bidi_Control}\u2028]/u);
    expect(await lines()).toHaveLength(1);
    expect((await lines())[0]).toMatchObject({ msg: evil, peer: evil });
  });
});

describe("reports", () => {
  it("of a supervisor carry the fields of the real one", async () => {
    open();
    supervisorReports.publish(killed);
    expect((await lines())[0]).toMatchObject({
      level: "error",
      report: "supervisor",
      supervisor: "connections",
      errorContext: "child_terminated",
      reason: "killed",
      offender: {
        pid: "<1.17>",
        id: null,
        mfargs: "{echo,start_link,[]}",
        restart_type: "temporary",
        significant: false,
        shutdown: 2000,
        child_type: "worker",
      },
    });
    expect((await lines())[0]).not.toHaveProperty("err");
  });

  it("write reasons as Erlang does and shutdown times as OTP does, and leave the stack to the crash report", async () => {
    open();
    supervisorReports.publish({
      ...killed,
      reason: { shutdown: "idle" },
      offender: { ...echoChild, shutdown: Infinity },
    });
    supervisorReports.publish({ ...killed, reason: typeError(), offender: { ...echoChild, nbChildren: 3 } });
    const [first, second] = await lines();
    expect(first).toMatchObject({ reason: "{shutdown,idle}", offender: { shutdown: "infinity" } });
    expect(second).toMatchObject({
      reason: "TypeError: boom",
      offender: { nb_children: 3 },
    });
    expect(second.err).toEqual({ type: "TypeError", message: "boom" });
  });

  it("of a crash have process, reason and message queue length", async () => {
    open();
    crashReports.publish(crashWith(typeError()));
    expect((await lines())[0]).toMatchObject({
      level: "error",
      report: "crash",
      initialCall: "echo:init/1",
      pid: "<1.17>",
      registeredName: null,
      reason: "TypeError: boom",
      err: { type: "TypeError", message: "boom", stack: expect.stringContaining("at frame (echo.ts:7:3)") },
      ancestors: ["<1.3>", "<1.2>"],
      messageQueueLength: 4,
      links: ["<1.3>"],
      trapExit: false,
    });
  });

  it("of progress are hidden until debug is asked for", async () => {
    open();
    progressReports.publish({ supervisor: "connections", started: echoChild });
    log.level = "debug";
    progressReports.publish({ supervisor: "connections", started: echoChild });
    expect(await lines()).toHaveLength(1);
    expect((await lines())[0]).toMatchObject({
      level: "debug",
      report: "progress",
      started: { pid: "<1.17>", restart_type: "temporary" },
    });
  });

  it("fit into what a pipe takes in one piece, however long an error is", async () => {
    open();
    const error = new Error("x".repeat(1e5));
    crashReports.publish({ ...crashWith(error), links: Array(1000).fill(echoChild.pid) });
    supervisorReports.publish({
      ...killed,
      reason: error,
      offender: { ...echoChild, mfargs: ["m", "f", ["y".repeat(1e5)]] },
    });
    for (const line of (await text()).split("\n")) expect(Buffer.byteLength(line)).toBeLessThan(4096);
  });

  it("fit into what a pipe takes in one piece in bytes, whatever characters an error has", async () => {
    for (const format of ["json", "pretty"] as const) {
      open({ format });
      const pids = Array(1000).fill(new Pid(12, 123_456_789));
      for (const text of ["\u65e5\u672c\u8a9e", "\u0001", '"\\', "\u{1F600}", "\u202e", "\ud800", "x\n"]) {
        const error = new Error(text.repeat(3000));
        error.name = text.repeat(300);
        const report = { ...crashWith(error), label: text.repeat(300), links: pids, ancestors: pids };
        crashReports.publish(report);
        log.error(text.repeat(2000), {
          err: error,
          [text.repeat(2000)]: text,
          deep: [{ text: text.repeat(9999) }],
        });
      }
      log.close();
    }
    const written = await text();
    expect(written.match(/CRASH REPORT/g)).toHaveLength(7);
    const reports = written.split(/^(?==CRASH|\d\d:|\{)/m).filter((one) => one !== "");
    expect(reports).toHaveLength(28);
    for (const report of reports) expect(Buffer.byteLength(report)).toBeLessThanOrEqual(4096);
    for (const line of written.split("\n").filter((one) => one.startsWith("{")))
      expect(JSON.parse(line)).toMatchObject({ level: "error", worker: 2 });
  });

  it("are written with what can be read of an error whose properties throw", async () => {
    open();
    for (const key of ["name", "message", "stack"]) crashReports.publish(crashWith(hostile(key)));
    crashReports.publish(crashWith(Object.create(null)));
    supervisorReports.publish({ ...killed, reason: hostile("message") });
    expect(await lines()).toMatchObject([
      {
        report: "crash",
        reason: "unprintable: boom",
        err: { message: "boom", stack: "unprintable" },
      },
      { report: "crash", reason: "TypeError: unprintable", err: { type: "TypeError" } },
      { report: "crash", reason: "TypeError: boom", err: { message: "boom", stack: "unprintable" } },
      { report: "crash", reason: "unprintable" },
      { report: "supervisor", reason: "TypeError: unprintable" },
    ]);
  });

  it("of an error with a message of half a gigabyte have its length", async () => {
    open();
    crashReports.publish(crashWith(Object.assign(typeError(), { message: "x".repeat(2 ** 29 - 30) })));
    expect(await lines()).toMatchObject([
      { report: "crash", reason: `TypeError: a text of ${2 ** 29 - 30} characters` },
    ]);
  });

  it("of a crash have the details of the process, an address as people write it", async () => {
    open();
    const via = { address: "10.0.0.7", port: 51_234 };
    const details = { state: "talking", peer: { address: "::1", port: 5 }, via };
    crashReports.publish({ ...crashWith("badarg"), details });
    expect((await lines())[0]).toMatchObject({ state: "talking", peer: "[::1]:5", via: "10.0.0.7:51234" });
  });

  it("of an unhandled rejection are crash reports with the stack, and rate-limited", async () => {
    open();
    const rejection = { pid: new Pid(2, 1), label: "worker 2", reason: typeError() };
    for (let n = 0; n < 20; n++) unhandledRejections.publish(rejection);
    expect(await lines()).toHaveLength(10);
    expect((await lines())[0]).toMatchObject({
      level: "error",
      report: "crash",
      initialCall: "unhandled_rejection",
      pid: "<2.1>",
      reason: "TypeError: boom",
      err: { stack: expect.stringContaining("at frame (echo.ts:7:3)") },
    });
    expect((await lines())[0].msg).toMatch(/^unhandled rejection in worker 2: TypeError: boom: /);
  });

  it("are printed as SASL does with format pretty", async () => {
    open({ format: "pretty" });
    supervisorReports.publish(killed);
    expect(await text()).toMatch(
      /^=SUPERVISOR REPORT==== \d\d-\w{3}-\d{4}::\d\d:\d\d:\d\d\.\d{6} ===\n {4}supervisor: \{local,connections\}\n/,
    );
  });
});

describe("connections and listeners", () => {
  it("say at info where the server listens", async () => {
    open();
    listenerEvents.publish(listening);
    listenerEvents.publish({ ...listening, what: "full", address: "0.0.0.0" });
    expect(await lines()).toMatchObject([
      { level: "info", msg: "listening on [::]:2222", listener: "main", state: "listening", port: 2222 },
      { level: "warn", msg: "connection limit reached, not accepting on 0.0.0.0:2222" },
    ]);
  });

  it("say once a minute that the limit is reached, however often it is, and only at debug that there is room again", async () => {
    open();
    const minutes = 3;
    for (let second = 0; second < minutes * 60; second++) {
      for (let n = 0; n < 10; n++) {
        listenerEvents.publish({ ...listening, what: "full" });
        listenerEvents.publish({ ...listening, resumed: true });
      }
      await clock.advance(1000);
    }
    log.close();
    const at = (await lines()).map(({ level, msg, suppressed = 0 }) => ({ level, msg, suppressed }));
    expect(
      at.filter(({ msg }) => msg === "connection limit reached, not accepting on [::]:2222"),
    ).toHaveLength(minutes);
    const sums = at.filter(({ msg }) => / more log lines of this kind in the last 1m$/.test(msg));
    expect(sums).toHaveLength(minutes);
    expect(sums.reduce((sum, { suppressed }) => sum + suppressed, minutes)).toBe(minutes * 600);
    expect(at).toHaveLength(2 * minutes);
  });

  it("say at debug why a connection has ended, and at trace that it began", async () => {
    open({ level: "trace" });
    connectionOpened.publish(closedIdle);
    connectionClosed.publish(closedIdle);
    expect(await lines()).toMatchObject([
      { level: "trace", msg: "connection opened", peer: "10.0.0.7:51234", pid: "<1.17>", protocol: "echo" },
      {
        level: "debug",
        msg: "connection closed",
        reason: "{shutdown,idle}",
        counted: "idle",
        framesReceived: 3,
        framesSent: 2,
      },
    ]);
  });
});

it("a connection that ends because of invalid bytes is logged at debug with the framing's message", async () => {
  open({ level: "debug" });
  const reason = { shutdown: "frame_invalid" };
  const detail = `json: not JSON; ${"x".repeat(1_000)}`;
  connectionClosed.publish({ ...closedIdle, reason, counted: "frame_invalid", detail });
  expect((await lines())[0]).toMatchObject({
    level: "debug",
    counted: "frame_invalid",
    reason: "{shutdown,frame_invalid}",
  });
  expect((await lines())[0].detail).toMatch(/^json: not JSON; x+… \(\+\d+\)$/);
});

describe("the level", () => {
  it("decides which channels are listened to, so that nothing is built in vain", async () => {
    open({ level: "info" });
    expect([supervisorReports, connectionClosed, connectionOpened].map((one) => one.hasSubscribers)).toEqual([
      true,
      false,
      false,
    ]);
    log.level = "trace";
    expect([connectionClosed, connectionOpened].map((one) => one.hasSubscribers)).toEqual([true, true]);
    log.level = "silent";
    expect(supervisorReports.hasSubscribers).toBe(false);
    log.fatal("not logged");
    expect(await text()).toBe("");
  });

  it("no longer matters after close: no channel is listened to", async () => {
    open({ level: "trace" }).close();
    const all = [
      supervisorReports,
      crashReports,
      progressReports,
      listenerEvents,
      connectionOpened,
      connectionClosed,
    ];
    expect(all.some((one) => one.hasSubscribers)).toBe(false);
    expect(clock.pending).toBe(0);
  });
});

describe("the rate limit", () => {
  it("writes ten lines of one kind per second and summarises the rest in one line", async () => {
    open();
    for (let n = 0; n < 1000; n++) crashReports.publish(crashWith(new TypeError(`bad frame ${n}`)));
    supervisorReports.publish({
      ...killed,
      errorContext: "shutdown",
      reason: "reached_max_restart_intensity",
    });
    expect(await lines()).toHaveLength(11);
    await clock.advance(1000);
    expect(await lines()).toHaveLength(12);
    expect((await lines())[11]).toMatchObject({
      level: "error",
      msg: "suppressed 990 more log lines of this kind in the last second",
      report: "crash",
      suppressed: 990,
      like: "crash TypeError",
    });
  });

  it("starts anew in the next second", async () => {
    open();
    for (let second = 0; second < 3; second++) {
      for (let n = 0; n < 12; n++) supervisorReports.publish(killed);
      await clock.advance(1000);
    }
    expect((await lines()).filter(({ suppressed }) => suppressed === 2)).toHaveLength(3);
    expect(await lines()).toHaveLength(33);
  });

  it("cannot be evaded with reasons that a client makes up", async () => {
    open();
    for (let n = 0; n < 1000; n++) {
      crashReports.publish(crashWith(`bad frame ${n}`));
      crashReports.publish(crashWith({ shutdownish: `${n} bytes` }));
      crashReports.publish(crashWith(`word${n}`));
    }
    // Two kinds of text, and at most 64 kinds of words.
    expect((await lines()).length).toBeLessThan(20 + 70 * 10);
  });

  it("is summarised at close, too", async () => {
    open();
    for (let n = 0; n < 15; n++) supervisorReports.publish(killed);
    log.close();
    // Not by its place: at close the first line may still be with the thread that writes the file.
    expect((await lines()).map(({ msg }) => msg)).toContain(
      "suppressed 5 more log lines of this kind in the last second",
    );
  });
});

describe("a log file", () => {
  it("goes on in a new file after it was moved away, and no line is lost", async () => {
    open();
    log.info("before");
    renameSync(file, `${file}.1`);
    log.info("between");
    await log.idle();
    log.reopen();
    log.info("after");
    await log.idle();
    expect(readFileSync(`${file}.1`, "utf8")).toMatch(/before.*\n.*between/);
    expect(await lines()).toMatchObject([{ msg: "after" }]);
  });

  it("stays in use when the new one cannot be opened", async () => {
    open();
    renameSync(folder, `${folder}.moved`);
    log.reopen();
    renameSync(`${folder}.moved`, folder);
    expect(await lines()).toMatchObject([
      { level: "error", err: { message: expect.stringContaining("ENOENT") } },
    ]);
  });

  it("that cannot be opened is an error at the start", async () => {
    open();
    expect(() =>
      openLog({ level: "info", format: "json", worker: 0, name: "x", file: join(folder, "no", "log") }),
    ).toThrow("ENOENT");
  });
});

describe("a follower", () => {
  it("gets the same line that is written, at its own minimum level", async () => {
    const followed: string[] = [];
    const { warn, info, debug } = open({ level: "warn" });
    log.follow("info", (line) => followed.push(line));
    for (const say of [warn, info, debug]) say("hello", { peer: "10.0.0.7\u009b" });
    expect(followed.map((line) => JSON.parse(line).level)).toEqual(["warn", "info"]);
    expect(await text()).toBe(`${followed[0]}\n`);
  });

  it("gets reports although the log is silent, as JSON although the log is pretty", async () => {
    const followed: string[] = [];
    open({ level: "silent", format: "pretty" });
    log.follow("warn", (line) => followed.push(line));
    supervisorReports.publish(killed);
    listenerEvents.publish({ ...listening, what: "full" });
    listenerEvents.publish(listening);
    expect(followed.map((line) => JSON.parse(line)).map(({ level, report }) => [level, report])).toEqual([
      ["error", "supervisor"],
      ["warn", undefined],
    ]);
    expect(await text()).toBe("");
  });

  it("is rate-limited like the log", async () => {
    const followed: string[] = [];
    open();
    log.follow("info", (line) => followed.push(line));
    for (let n = 0; n < 100; n++) supervisorReports.publish(killed);
    log.close();
    expect(followed).toHaveLength(11);
    expect(await lines()).toHaveLength(11);
  });
});

it("a handler that did not finish in time is a warning with peer, state and limit, and rate-limited", async () => {
  open();
  const { pid, protocol, peer, state } = closedIdle;
  for (let n = 0; n < 20; n++) handlerTimeouts.publish({ pid, protocol, peer, state, limit: 120_000 });
  expect(await lines()).toHaveLength(10);
  expect((await lines())[0]).toMatchObject({
    level: "warn",
    peer: "10.0.0.7:51234",
    state: "ready",
    limitMs: 120_000,
  });
  expect((await lines())[0].msg).toMatch(/^handler of echo <1.17> did not finish within 2m in state ready: /);
});

it("connections that are ended at a bound of the worker's memory are one warning a minute, with the peer", async () => {
  open();
  const { pid, protocol, peer } = closedIdle;
  const ended = { pid, protocol, peer, listener: "main", counted: "outbound_full", message: "too much" };
  for (let n = 0; n < 20; n++) memoryBounds.publish(ended);
  memoryBounds.publish({ ...ended, counted: "inbound_full" });
  expect(await lines()).toMatchObject([
    { level: "warn", peer: "10.0.0.7:51234", listener: "main", counted: "outbound_full" },
    { level: "warn", counted: "inbound_full" },
  ]);
  expect((await lines())[0].msg).toBe("connection from 10.0.0.7:51234 to listener main closed: too much");
});

it("a route of the admin server that failed is an error, with what was thrown", async () => {
  open();
  adminFailures.publish({ method: "GET", path: "/tree\n", error: typeError() });
  expect((await lines())[0]).toMatchObject({ level: "error", method: "GET", err: { type: "TypeError" } });
  expect((await lines())[0].msg).toMatch(/^admin request failed: GET \/tree\n: TypeError: /);
});

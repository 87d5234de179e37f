import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CallMessage, request } from "../../../src/otp/gen-server/call.js";
import { cast } from "../../../src/otp/gen-server/gen-server.js";
import { CastMessage } from "../../../src/otp/gen-server/server-process.js";
import type { ProcessExit } from "../../../src/otp/process/exit-reason.js";
import { Pid, parsePid } from "../../../src/otp/process/pid.js";
import { register } from "../../../src/otp/process/registry.js";
import { exit, useCarrier } from "../../../src/otp/process/signals.js";
import * as sys from "../../../src/otp/sys/sys.js";
import { settle } from "../../../src/otp/time/clock.js";
import { gate, Listener, type ListenerOptions, manualClock, outcome } from "../support.js";

const time = manualClock();

/** A process that does with a request what the test says. */
function server(on: (message: CallMessage, self: Listener) => void | Promise<void>): Listener {
  const options: ListenerOptions = { on: (self, message) => on(message as CallMessage, self) };
  return new Listener(options);
}

describe("a call", () => {
  it("becomes what the other replies, and leaves nothing behind", async () => {
    const other = server((message) => message.reply([message.name, ...message.args]));
    expect(await request(other.pid, "add", [1, 2])).toEqual(["add", 1, 2]);
    expect([time.clock.pending, other.monitoredByCount]).toEqual([0, 0]);
  });

  it("fails by a Proxy without running its code", async () => {
    let looks = 0;
    const look = () => {
      looks++;
      return Error.prototype;
    };
    const other = server((message) => message.fail(new Proxy({}, { getPrototypeOf: look })));
    await expect(request(other.pid, "add", [])).rejects.toThrow("thrown: an object that cannot be read");
    expect(looks).toBe(0);
  });

  it("shows what is asked, not which object is behind it", async () => {
    let seen: CallMessage | undefined;
    const other = server((message) => {
      seen = message;
    });
    void request(other.pid, "add", [1, 2]).catch(() => {});
    await settle();
    expect(JSON.stringify(seen)).toBe('{"name":"add","args":[1,2]}');
    expect(inspect(seen)).toBe("{ name: 'add', args: [ 1, 2 ] }");
    const ref = new Listener().monitor(other.pid);
    expect(JSON.stringify(ref)).toBe(`{"target":"${other.pid}"}`);
  });

  it("finds the other by name and by a pid that was read from a text", async () => {
    const other = server((message) => message.reply("here"));
    register("call-named", other.pid);
    expect(await request("call-named", "where", [])).toBe("here");
    expect(await request(parsePid(String(other.pid)) as Pid, "where", [])).toBe("here");
  });

  it("to no process fails with noproc, at once", async () => {
    const dead = new Listener();
    dead.quit("normal");
    expect(await outcome(request(dead.pid, "x", []))).toMatchObject({
      error: {
        name: "ProcessExit",
        reason: "noproc",
        message: `call "x": no process ${dead.pid} in this OS process`,
      },
    });
    expect(await outcome(request("call-nobody", "x", []))).toMatchObject({
      error: { reason: "noproc", message: 'call "x": no process named "call-nobody" in this OS process' },
    });
  });

  it("fails with timeout after 5 seconds, not before", async () => {
    const other = server(() => {});
    const result = outcome(request(other.pid, "x", []));
    let over = false;
    void result.then(() => {
      over = true;
    });
    await time.clock.advance(4999);
    expect(over).toBe(false);
    await time.clock.advance(1);
    expect(await result).toMatchObject({
      error: { reason: "timeout", message: `call "x" to ${other.pid} timed out after 5000 ms` },
    });
    expect(other.monitoredByCount).toBe(0);
  });

  it("waits as long as it is told to, also for ever", async () => {
    const other = server(() => {});
    const brief = outcome(request(other.pid, "x", [], "2s"));
    await time.clock.advance(2000);
    expect(await brief).toMatchObject({ error: { reason: "timeout" } });
    const patient = outcome(request(other.pid, "x", [], Infinity));
    await time.clock.advance(1e12);
    exit(other.pid, "kill");
    expect(await patient).toMatchObject({ error: { reason: "killed" } });
  });

  it("refuses a timeout that is no duration", async () => {
    const other = server(() => {});
    expect(await outcome(request(other.pid, "x", [], "soon" as "1s"))).toMatchObject({
      error: { name: "TypeError" },
    });
  });

  it("drops an answer that comes too late, and a second one", async () => {
    const kept: CallMessage[] = [];
    const other = server((message) => void kept.push(message));
    const late = outcome(request(other.pid, "x", []));
    await time.clock.advance(5000);
    kept[0]?.reply("too late");
    expect(await late).toMatchObject({ error: { reason: "timeout" } });
    const twice = request(other.pid, "x", []);
    await settle();
    kept[1]?.reply(1);
    kept[1]?.reply(2);
    kept[1]?.fail("no");
    expect(await twice).toBe(1);
  });

  it("fails with the reason for which the other ends meanwhile", async () => {
    const other = server((_, self) => self.quit({ shutdown: "busy" }));
    expect(await outcome(request(other.pid, "x", []))).toMatchObject({
      error: { reason: { shutdown: "busy" }, message: `${other.pid} exited during the call "x"` },
    });
    expect(time.clock.pending).toBe(0);
  });

  it("fails with the crash that it causes", async () => {
    const crash = new Error("oops");
    const other = server(() => {
      throw crash;
    });
    expect(await outcome(request(other.pid, "x", []))).toMatchObject({ error: { reason: crash } });
  });

  it("fails when the other ends before it comes to it", async () => {
    const { promise } = gate();
    const other = server(() => promise);
    const all = [request(other.pid, "a", []), request(other.pid, "b", [])].map(outcome);
    await settle();
    exit(other.pid, "kill");
    expect(await Promise.all(all)).toMatchObject([
      { error: { reason: "killed" } },
      { error: { reason: "killed" } },
    ]);
  });

  it("rejects with the failure that the other answers with, an Error as it is, a word as a reason", async () => {
    const error = new RangeError("no");
    const other = server((message) => message.fail(message.name === "error" ? error : "refused"));
    expect(await outcome(request(other.pid, "error", []))).toEqual({ error });
    expect(await outcome(request(other.pid, "word", []))).toMatchObject({ error: { reason: "refused" } });
    expect(other.alive).toBe(true);
  });
});

describe("a process of another OS process", () => {
  const elsewhere = new Pid(3, 7);

  it("cannot be called: the call fails at once and says what to do instead", async () => {
    const { error } = (await outcome(request(elsewhere, "add", [1, 2]))) as { error: ProcessExit };
    expect([error.reason, error.message]).toEqual([
      "notsup",
      'call "add" to <3.7>: a call cannot leave its OS process; send or cast to it, with a pid to reply to',
    ]);
    expect(await outcome(sys.getState(elsewhere))).toMatchObject({ error: { reason: "notsup" } });
    expect(await outcome(request(new Pid(0, 999_999), "add", []))).toMatchObject({
      error: { reason: "noproc" },
    });
    expect(time.clock.pending).toBe(0);
  });

  it("gets a cast through the carrier, as it gets a message", () => {
    const carried: unknown[] = [];
    useCarrier({ send: (to, message) => void carried.push([String(to), message]), exit: () => {} });
    onTestFinished(() => useCarrier(undefined));
    cast(elsewhere as never, "put" as never, ...([1, { two: 2 }] as never[]));
    expect(carried).toEqual([["<3.7>", new CastMessage("put", [1, { two: 2 }])]]);
    useCarrier(undefined);
    cast(elsewhere as never, "put" as never);
    expect(carried).toHaveLength(1);
  });
});

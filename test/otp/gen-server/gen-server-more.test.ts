/** Continue and timeouts of servers, as in OTP's gen_server_SUITE. Titles begin with the case's name there. */
import { describe, expect, it } from "vitest";
import { call, cast, genServer, type Self, start } from "../../../src/otp/gen-server/gen-server.js";
import { send } from "../../../src/otp/process/signals.js";
import { settle } from "../../../src/otp/time/clock.js";
import { endOf } from "../stage.js";
import { gate, listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

/** A server that writes down in which order it does what. */
function diary(first: (self: Self<undefined>) => void = () => {}) {
  const log: unknown[] = [];
  const server = genServer({
    name: "diary",
    init: (_: undefined, self) => {
      first(self);
      return { log };
    },
    calls: {
      go: (self, ...what: string[]) => {
        for (const one of what) self.continueWith(one);
        log.push("call");
        return [...log];
      },
    },
    casts: {
      note: (_, what: string) => void log.push(what),
      wait: (self, ms: number) => self.timeoutAfter(ms),
    },
    info: (_, message) => void log.push(message),
    continue: (self, content: string | Promise<unknown>) => {
      log.push(`continue ${typeof content === "string" ? content : "later"}`);
      if (content === "again") self.continueWith("once");
      if (content === "stop") self.stop("shutdown");
      if (content === "throw") throw new Error("continue");
      return typeof content === "string" ? undefined : content;
    },
    timeout: (self) => {
      log.push(`timeout ${time.clock.now()}`);
      if (log.length < 3) self.timeoutAfter("1s");
    },
  });
  return { log, server };
}

describe("continue", () => {
  it("continue: of init, before any message", async () => {
    const open = gate();
    const { log, server } = diary((self) => {
      send(self.pid, "message");
      self.continueWith("again");
      self.continueWith(open.promise);
    });
    await start(server, undefined);
    await settle();
    expect(log).toEqual(["continue again", "continue later"]);
    open.open();
    await settle();
    expect(log).toEqual(["continue again", "continue later", "continue once", "message"]);
  });

  it("continue: of a call, after its answer and before the next message", async () => {
    const { log, server } = diary();
    const pid = await start(server, undefined);
    const asked = call(pid, "go", "again", "stop");
    cast(pid, "note", "too late");
    expect(await asked).toEqual(["call"]);
    await settle();
    expect(log).toEqual(["call", "continue again", "continue stop"]);
    expect(pid.process).toBeUndefined();
  });

  it("continue: a failure is a crash; without a handler too", async () => {
    const { server } = diary((self) => self.continueWith("throw"));
    const end = endOf(await start(server, undefined));
    await settle();
    expect(reports.take()).toEqual(["crash diary Error: continue"]);
    expect(end.reason).toBe("noproc");
    const None = genServer({
      name: "none",
      init: () => ({}),
      casts: { go: (self) => self.continueWith(1) },
    });
    cast(await start(None, undefined), "go");
    await settle();
    expect(reports.take()).toEqual(['crash none Error: none has no "continue"']);
  });
});

describe("timeout", () => {
  it("timeout: so long without a message, as often as it is asked for", async () => {
    const { log, server } = diary((self) => self.timeoutAfter(500));
    await start(server, undefined);
    await time.clock.advance(10_000);
    expect(log).toEqual(["timeout 500", "timeout 1500", "timeout 2500"]);
    expect(time.clock.pending).toBe(0);
  });

  it("timeout: any message cancels it, also when it has run out already", async () => {
    const { log, server } = diary();
    const pid = await start(server, undefined);
    cast(pid, "wait", 100);
    await time.clock.advance(99);
    send(pid, "in time");
    await time.clock.advance(1000);
    expect(log).toEqual(["in time"]);
    cast(pid, "wait", 0);
    cast(pid, "note", "first");
    await settle();
    expect(log).toEqual(["in time", "first"]);
    cast(pid, "wait", 0);
    await settle();
    expect(log).toEqual(["in time", "first", "timeout 1099"]);
  });
});

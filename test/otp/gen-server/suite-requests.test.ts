/** Requests and timeouts of servers: OTP's gen_server_SUITE. Titles begin with the case's name there. */
import { describe, expect, it } from "vitest";
import { call, callWithin, cast, genServer, parsePid, send, start, sys } from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { settle } from "../../../src/otp/time/clock.js";
import { reasonOfRejection } from "../gen-statem/support.js";
import { Listener, manualClock, outcome } from "../support.js";

const time = manualClock();

/** Answers after so long. */
const Slow = genServer({
  name: "slow",
  init: () => ({}),
  calls: {
    after: (_, ms: number): Promise<number> =>
      new Promise((resolve) => time.clock.setTimeout(() => resolve(ms), ms)),
    self: (self): Promise<unknown> => callWithin(100, self.pid as never, "after" as never),
    crash: (): never => {
      throw "crashed";
    },
  },
});

describe("call and cast", () => {
  it("call: answered at once, later, or not in time", async () => {
    const pid = await start(Slow, undefined);
    const answer = call(pid, "after", 1);
    await time.clock.advance(1);
    expect(await answer).toBe(1);
    const [soon, never] = [callWithin(30, pid, "after", 1), callWithin(1, pid, "after", 30)];
    const late = reasonOfRejection(never);
    await time.clock.advance(31);
    expect([await soon, await late, processOf(pid)?.alive]).toEqual([1, "timeout", true]);
  });

  it("calling_self: a server that waits for itself ends by the timeout", async () => {
    const asked = reasonOfRejection(call(await start(Slow, undefined), "self"));
    await time.clock.advance(100);
    expect(await asked).toBe("timeout");
  });

  it("cast_fast: to no process, here or elsewhere, it returns at once", () => {
    for (const text of ["<0.999999>", "<77.1>"])
      expect(cast(parsePid(text) as never, "hopp" as never)).toBe(undefined);
  });
});

describe("send_request", () => {
  it("send_request: waited for later, to one that ends meanwhile, to no process", async () => {
    const pid = await start(Slow, undefined);
    const request = call(pid, "after", 10);
    const failing = outcome(call(pid, "crash"));
    const behind = outcome(call(pid, "after", 10));
    await time.clock.advance(50);
    expect(await request).toBe(10);
    expect(await failing).toMatchObject({ error: { reason: "crashed" } });
    expect(await behind).toMatchObject({ error: { reason: "crashed" } });
    expect(await reasonOfRejection(call(pid, "after", 1))).toBe("noproc");
  });

  it("send_request_receive_reqid_collection: as they come; what is not in time is given up", async () => {
    const came: unknown[] = [];
    const times = [300, 100, 200, 900];
    const pids = await Promise.all(times.map(() => start(Slow, undefined)));
    const requests = pids.map((pid, at) => callWithin(500, pid, "after", times[at]!));
    for (const one of requests)
      one.then(
        (value) => came.push(value),
        (error) => came.push(error.reason),
      );
    await time.clock.advance(1000);
    expect(came).toEqual([100, 200, 300, "timeout"]);
  });

  it("send_request_wait_reqid_collection: a caller that gave up waiting may wait again", async () => {
    const request = callWithin(Infinity, await start(Slow, undefined), "after", 100);
    const giveUp = new Promise((resolve) => time.clock.setTimeout(() => resolve("timeout"), 50));
    const first = Promise.race([request, giveUp]);
    await time.clock.advance(100);
    expect([await first, await request]).toEqual(["timeout", 100]);
  });

  it("send_request_check_reqid_collection: answers are no messages, each goes to its own request", async () => {
    const pid = await start(Slow, undefined);
    let answers: unknown[] = [];
    const client = new Listener({
      on: async () => {
        answers = await Promise.all([call(pid, "after", 2), call(pid, "after", 1)]);
      },
    });
    for (const message of ["go", "stray"]) send(client.pid, message);
    await time.clock.advance(10);
    expect([answers, client.got]).toEqual([
      [2, 1],
      ["go", "stray"],
    ]);
  });

  it("call_with_huge_message_queue: a caller with many messages waiting is answered like any other", async () => {
    const pid = await start(Slow, undefined);
    let answered = 0;
    const client = new Listener({
      on: async (self, message) => {
        if (message !== "go") return;
        while (answered < 1000 && (await sys.getState(pid))) answered++;
        expect(self.messageQueueLength).toBe(100_000);
        self.quit("normal");
      },
    });
    send(client.pid, "go");
    for (let n = 0; n < 100_000; n++) send(client.pid, n);
    await settle();
    expect([answered, client.end]).toEqual([1000, "normal"]);
  });
});

describe("event timeouts", () => {
  /** Waits 500 ms for a message, from init, from continue or from a call on. */
  const timed = (from: "init" | "continue" | "call") => {
    const log: unknown[] = [];
    const server = genServer({
      name: "timed",
      init: (_: undefined, self) => {
        if (from === "init") self.timeoutAfter(500);
        if (from === "continue") self.continueWith("go");
        return {};
      },
      calls: { ping: () => "pong", wait: (self) => self.timeoutAfter(500) },
      continue: (self) => self.timeoutAfter(500),
      timeout: () => void log.push(time.clock.now()),
    });
    return { log, server };
  };

  it("start_event_timeout: set by init or its continue, cancelled by a call, not by a look at it", async () => {
    for (const from of ["init", "continue"] as const) {
      const begun = time.clock.now();
      const { log, server } = timed(from);
      const [pid, called] = [await start(server, undefined), await start(server, undefined)];
      await sys.getStatus(pid);
      expect(await call(called, "ping")).toBe("pong");
      await time.clock.advance(1000);
      expect(log).toEqual([begun + 500]);
    }
  });

  it("handle_event_timeout, handle_event_timeout_plain: set by a handler, cancelled by a call", async () => {
    const { log, server } = timed("call");
    const [pid, called] = [await start(server, undefined), await start(server, undefined)];
    for (const one of [pid, called]) await call(one, "wait");
    await call(called, "ping");
    await time.clock.advance(1000);
    expect(log).toEqual([500]);
  });
});

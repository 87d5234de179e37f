/** The order of things within and between transitions: the traces of OTP's gen_statem_SUITE. */
import { describe, expect, it } from "vitest";
import { CastMessage } from "../../../src/otp/gen-server/server-process.js";
import {
  begin,
  cancelStateTimeout,
  eventTimeout,
  nextEvent,
  reply,
  replyTo,
  stateTimeout,
  timer,
  updateStateTimeout,
  updateTimer,
} from "../../../src/otp/gen-statem/gen-statem.js";
import { keep, next, postpone, repeat, stopAndReply } from "../../../src/otp/gen-statem/step.js";
import { processOf } from "../../../src/otp/process/process.js";
import { send } from "../../../src/otp/process/signals.js";
import { settle } from "../../../src/otp/time/clock.js";
import { listenToReports, manualClock } from "../support.js";
import { running, STYLES } from "./support.js";

const time = manualClock();
listenToReports();

const internal = (content: unknown) => nextEvent({ type: "internal", content });

describe.each(STYLES)("%s", (style) => {
  it("state_enter: enter calls, repeats, and the timeouts they set", async () => {
    const log: unknown[] = [];
    const { ask, pid, end } = await running(style, {
      stateEnter: true,
      init: () => begin("start", { n: 1 }),
      states: {
        start: (self, event) => {
          const n = self.data.n++;
          if (event.type === "enter") return void log.push([n, "enter", "start", event.from]);
          if (event.type === "internal") return void log.push([n, "internal", "start", event.content]);
          if (event.type !== "call") return;
          if (event.name === "repeat") return repeat(reply([n, "repeat", "start"]));
          if (event.name === "echo") return next("wait", reply([n, "echo", "start"]), eventTimeout(0, n));
          return stopAndReply("bye", reply([n, "stop"]));
        },
        wait: (self, event) => {
          const n = self.data.n++;
          if (event.type === "enter") {
            log.push([n, "enter", "wait", event.from]);
            const zero = [eventTimeout(0, n), stateTimeout(0, n)] as const;
            return n < 5 ? repeat(...zero) : keep(...zero);
          }
          if (event.type === "timeout") return void log.push([n, "timeout", event.content]);
          if (event.type === "state_timeout") return void log.push([n, "state_timeout", event.content]);
          if (event.type !== "call") return;
          if (event.name === "repeat") {
            self.data.n--;
            return repeat(reply([n, "repeat", "wait"]), eventTimeout(0, n));
          }
          return next("start", internal("wait"), reply([n, "echo", "wait"]));
        },
      },
    });
    const take = () => log.splice(0);
    expect(take()).toEqual([[1, "enter", "start", "start"]]);
    expect(await ask("echo")).toEqual([2, "echo", "start"]);
    expect(take()).toEqual([
      [3, "enter", "wait", "start"],
      [4, "enter", "wait", "start"],
      [5, "enter", "wait", "start"],
      [6, "timeout", 5],
      [7, "state_timeout", 5],
    ]);
    expect(await ask("repeat")).toEqual([8, "repeat", "wait"]);
    expect(take()).toEqual([
      [8, "enter", "wait", "wait"],
      [9, "timeout", 8],
      [10, "state_timeout", 8],
    ]);
    expect(await ask("echo")).toEqual([11, "echo", "wait"]);
    expect(take()).toEqual([
      [12, "enter", "start", "wait"],
      [13, "internal", "start", "wait"],
    ]);
    expect(await ask("repeat")).toEqual([14, "repeat", "start"]);
    expect(take()).toEqual([[15, "enter", "start", "start"]]);
    expect(await ask("stop")).toEqual([16, "stop"]);
    await settle();
    expect(end.reason).toEqual({ shutdown: "bye" });
    expect(pid.process).toBeUndefined();
  });

  it("event_order: inserted events, then postponed ones; a zero timeout behind them is cancelled", async () => {
    const { ask, pid, end } = await running(style, {
      init: () => begin("start", { log: [] as string[] }),
      states: {
        start: (_, event) => {
          if (event.type === "cast") return postpone;
          return next("buffer", internal("ok3"), internal("ok4"), eventTimeout(0, "ok5"), reply("ok"));
        },
        buffer: (self, event) => {
          if (event.type === "call") return stopAndReply("normal", reply(self.data.log));
          self.data.log.push(event.type === "cast" ? event.args[0] : (event as any).content);
        },
      },
    });
    processOf(pid)?.deliver(new CastMessage("put", ["ok1"]));
    processOf(pid)?.deliver(new CastMessage("put", ["ok2"]));
    expect(await ask("buffer")).toBe("ok");
    expect(await ask("stop")).toEqual(["ok3", "ok4", "ok1", "ok2"]);
    expect(end.reason).toBe("normal");
  });

  it("state_timeout: cancelled by a change of state, zero ones in the order in which they were set", async () => {
    const seen: unknown[] = [];
    const { ask, end } = await running(style, {
      init: () => begin("start", {} as any),
      states: {
        start: (self, event) => {
          if (event.type !== "call") return;
          send(self.pid, "message_to_self");
          self.data.from = event.from;
          const ms = event.args[0] as number;
          return next("state1", eventTimeout(ms, 1), stateTimeout(ms, 1), internal(1));
        },
        state1: (_, event) => {
          if (event.type !== "internal") throw new Error(event.type);
          return next("state2", eventTimeout(0, 2), stateTimeout(0, 2), internal(2));
        },
        state2: (self, event: any) => {
          seen.push([event.type, event.content]);
          if (event.type === "internal") return keep(eventTimeout(0, 3));
          if (event.type === "timeout") return keep(stateTimeout(0, 6), eventTimeout(0, 7));
          if (event.content === 2) return keep(eventTimeout(0, 4), stateTimeout(0, 5));
          return next("state3", replyTo(self.data.from, "ok"), stateTimeout(500, 8));
        },
        state3: (self, event) => {
          seen.push(event.type);
          if (event.type === "call") self.data.from = event.from;
          if (event.type === "state_timeout") return stopAndReply("normal", replyTo(self.data.from, "ok"));
        },
      },
    });
    expect(await ask("go", 500)).toBe("ok");
    expect(seen.slice(0, 4)).toEqual([
      ["internal", 2],
      ["state_timeout", 2],
      ["timeout", 4],
      ["state_timeout", 6],
    ]);
    const checked = ask("check");
    await time.clock.advance(499);
    expect(end.reason).toBeUndefined();
    await time.clock.advance(1);
    expect(await checked).toBe("ok");
    expect(seen.slice(4)).toEqual(["info", "call", "state_timeout"]);
    expect(end.reason).toBe("normal");
    expect(time.clock.pending).toBe(0);
  });

  it("timeout_cancel_and_update: update keeps the time; of one that does not run it fires at once", async () => {
    const { ask, pid } = await running(style, {
      init: () => begin("start", {} as any),
      states: {
        start: (self, event) => {
          if (event.type !== "call") return;
          send(self.pid, "message_to_self");
          self.data.from = event.from;
          return next("state1", stateTimeout(17, 1), internal(1));
        },
        state1: (_, event: any) => {
          if (event.type === "internal") return keep(cancelStateTimeout(), timer("a", 17, 1));
          if (event.type === "info") return keep(updateTimer("a", "a"));
          if (event.type === "timer" && event.content === "a")
            return next("state2", stateTimeout(17, 2), internal(2));
          throw new Error(event.type);
        },
        state2: (self, event: any) => {
          if (event.type === "internal") return keep(updateStateTimeout("b"), eventTimeout(17, 2));
          if (event.type === "state_timeout" && event.content === "b")
            return next("state3", replyTo(self.data.from, "ok"), eventTimeout(17_000));
          if (event.type !== "timeout") throw new Error(event.type);
        },
        state3: (_, event) => (event.type === "call" ? stopAndReply("normal", reply("ok")) : undefined),
      },
    });
    const tested = ask("test");
    await time.clock.advance(17);
    await time.clock.advance(17);
    expect(await tested).toBe("ok");
    expect((pid.process as any).timers).toEqual([{ timer: "timeout", name: "", content: undefined }]);
    expect(await ask("stop")).toBe("ok");
    expect(time.clock.pending).toBe(0);
  });

  it("event_types: every type can be inserted", async () => {
    const expected = (types: string, to: string) => (_: unknown, event: any) => {
      expect(`${event.type} ${event.content ?? event.args?.[0]}`).toBe(types);
      return next(to);
    };
    const { ask, end } = await running(style, {
      init: () => begin("start1", {}, internal(0)),
      states: {
        start1: expected("internal 0", "start2"),
        start2: (_, event) =>
          next(
            "state1",
            internal(1),
            nextEvent({ type: "state_timeout", content: 2 }),
            nextEvent({ type: "timeout", content: 3 }),
            nextEvent({ type: "info", content: 4 }),
            nextEvent({ type: "cast", name: "put", args: [5] }),
            nextEvent({ type: "timer", name: "6", content: 6 }),
            nextEvent(event as any),
          ),
        state1: expected("internal 1", "state2"),
        state2: expected("state_timeout 2", "state3"),
        state3: expected("timeout 3", "state4"),
        state4: expected("info 4", "state5"),
        state5: expected("cast 5", "state6"),
        state6: expected("timer 6", "state7"),
        state7: () => stopAndReply("shutdown", reply("stopped")),
      },
    });
    expect(await ask("stop")).toBe("stopped");
    expect(end.reason).toBe("shutdown");
  });

  it("generic_timers: not cancelled by anything but themselves", async () => {
    const at: unknown[] = [];
    const { ask, end } = await running(style, {
      init: () => begin("start", {}),
      states: {
        start: (_, event) =>
          next(
            "state1",
            timer("a", 1500, 1),
            stateTimeout(1500, 1),
            timer("b", 1000, 1),
            nextEvent(event as any),
          ),
        state1: (_, event) =>
          next(
            "state2",
            timer("c", 500, 2),
            timer("d", 0, 2),
            eventTimeout(0, 2),
            timer("b", Infinity, 2),
            timer("a", 1000, event),
          ),
        state2: (_, event: any) => {
          at.push([event.type, event.name, time.clock.now()]);
          return next("state3");
        },
        state3: (_, event: any) => {
          at.push([event.type, event.name, time.clock.now()]);
          return next("state4");
        },
        state4: (_, event: any) => {
          at.push([event.type, event.name, time.clock.now()]);
          return stopAndReply("shutdown", replyTo(event.content.from, "stopped"));
        },
      },
    });
    const stopped = ask("stop");
    await time.clock.advance(2000);
    expect(await stopped).toBe("stopped");
    expect(at).toEqual([
      ["timer", "d", 0],
      ["timer", "c", 500],
      ["timer", "a", 1000],
    ]);
    expect(end.reason).toBe("shutdown");
    expect(time.clock.pending).toBe(0);
  });

  it("next_events: the first is handled first, before what it inserts itself", async () => {
    const log: unknown[] = [];
    const { ask } = await running(style, {
      init: () => begin("start", {}),
      states: {
        start: (_, event: any) => {
          if (event.type === "call" && event.name === "go")
            return keep(internal(1), internal(3), reply("ok"));
          log.push(event.content ?? event.name);
          if (event.content === 1) return keep(internal(2));
          if (event.type === "call") return reply([...log]);
        },
      },
    });
    const [, seen] = await Promise.all([ask("go"), ask("get")]);
    expect(seen).toEqual([1, 2, 3, "get"]);
  });

  it("the last word about a timer counts, and that it runs already is forgotten with the words before", async () => {
    const seen: unknown[] = [];
    const { ask } = await running(style, {
      init: () => begin("start", {}),
      states: {
        start: (_, event: any) => {
          if (event.type === "call")
            return keep(timer("a", 100, "x"), timer("b", 50, "b"), timer("a", 30, "y"), reply("ok"));
          seen.push([event.name, event.content, time.clock.now()]);
        },
      },
    });
    await ask("go");
    await time.clock.advance(200);
    expect(seen).toEqual([
      ["a", "y", 30],
      ["b", "b", 50],
    ]);
  });

  it("a zero timer that is set to a time has that time", async () => {
    const seen: unknown[] = [];
    const { ask } = await running(style, {
      init: () => begin("start", {}),
      states: {
        start: (_, event: any) => {
          if (event.type === "call") return keep(timer("a", 0, 1), internal("again"), reply("ok"));
          if (event.type === "internal") return keep(timer("a", 100, 2));
          seen.push([event.type, event.content, time.clock.now()]);
        },
      },
    });
    await ask("go");
    await time.clock.advance(200);
    expect(seen).toEqual([["timer", 2, 100]]);
  });

  it("a timeout that had run out before it was cancelled is dropped", async () => {
    const seen: unknown[] = [];
    const { pid } = await running(style, {
      init: () => begin("start", {}, timer("a", 10, "late")),
      states: {
        start: (_, event: any) => {
          seen.push(event.content);
          if (event.content === "cancel") return keep(timer("a", Infinity));
        },
      },
    });
    send(pid, "cancel");
    await time.clock.advance(10);
    expect(seen).toEqual(["cancel"]);
    const other = await running(style, {
      init: () => begin("start", {}, timer("a", 10, "late")),
      states: {
        start: async (_, event: any) => {
          seen.push(event.content);
          await new Promise((resolve) => time.clock.setTimeout(() => resolve(undefined), 20));
          return keep(timer("a", Infinity));
        },
      },
    });
    send(other.pid, "slow");
    await time.clock.advance(100);
    expect(seen).toEqual(["cancel", "slow"]);
  });

  it("to the state it is in is no change: postponed events stay, the state timeout runs on", async () => {
    const seen: unknown[] = [];
    const { pid } = await running(style, {
      init: () => begin("start", {}, stateTimeout(10, "out")),
      states: {
        start: (_, event: any) => {
          seen.push(event.content);
          if (event.content === "later") return postpone;
          if (event.content === "same") return next("start");
          if (event.content === "out") return next("other");
        },
        other: (_, event: any) => void seen.push(["other", event.content]),
      },
    });
    send(pid, "later");
    send(pid, "same");
    await time.clock.advance(10);
    expect(seen).toEqual(["later", "same", "out", ["other", "later"]]);
  });

  it("an event that is postponed twice comes again once", async () => {
    const seen: unknown[] = [];
    const { pid } = await running(style, {
      init: () => begin("start", {}),
      states: {
        start: (_, event: any) => (event.content === "go" ? next("other") : keep(postpone, postpone)),
        other: (_, event: any) => void seen.push(event.content),
      },
    });
    send(pid, "later");
    send(pid, "go");
    await settle();
    expect(seen).toEqual(["later"]);
  });

  it("timers start from behind: of two of one transition with the same time, the last fires first", async () => {
    const seen: unknown[] = [];
    const { pid } = await running(style, {
      init: () => begin("start", {}),
      states: {
        start: (_, event: any) => {
          if (event.content === "go") return keep(timer("a", 10, 1), timer("b", 10, 2), stateTimeout(10, 3));
          seen.push(event.content);
        },
      },
    });
    send(pid, "go");
    await time.clock.advance(10);
    expect(seen).toEqual([3, 2, 1]);
  });
});

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type CallMessage, request } from "../../../src/otp/gen-server/call.js";
import { ManualClock, settle, systemClock, useClock } from "../../../src/otp/time/clock.js";
import { Listener, manualClock, outcome } from "../support.js";

const time = manualClock();

/** A process that keeps its requests, and who has been answered when. */
function holder(): { ask(name: string, timeout: number): void; reply(name: string): void; log: string[] } {
  const requests = new Map<string, CallMessage>();
  const other = new Listener({
    on: (_, message) => void requests.set((message as CallMessage).name, message as CallMessage),
  });
  const log: string[] = [];
  return {
    log,
    ask: (name, timeout) =>
      void outcome(request(other.pid, name, [], timeout)).then((end: any) =>
        log.push(`${name} ${end.error?.reason ?? end.value} ${time.clock.now()}`),
      ),
    reply: (name) => requests.get(name)?.reply("answered"),
  };
}

describe("calls that wait equally long", () => {
  it("share one timer, and each fails in its own time", async () => {
    const { ask, log } = holder();
    ask("a", 100);
    await time.clock.advance(30);
    ask("b", 100);
    ask("c", 100);
    expect(time.clock.pending).toBe(1);
    await time.clock.advance(69);
    expect(log).toEqual([]);
    await time.clock.advance(100);
    expect(log).toEqual(["a timeout 100", "b timeout 130", "c timeout 130"]);
    expect(time.clock.pending).toBe(0);
  });

  it("may be answered in any order: the others still fail in their time", async () => {
    const { ask, reply, log } = holder();
    for (const name of ["a", "b", "c", "d"]) {
      ask(name, 100);
      await time.clock.advance(10);
    }
    for (const name of ["b", "d", "a"]) reply(name);
    await time.clock.advance(200);
    expect(log).toEqual(["b answered 40", "d answered 40", "a answered 40", "c timeout 120"]);
    expect(time.clock.pending).toBe(0);
  });

  it("leave no timer when the last of them is answered", async () => {
    const { ask, reply } = holder();
    ask("a", 100);
    ask("b", 200);
    await settle();
    expect(time.clock.pending).toBe(2);
    reply("a");
    expect(time.clock.pending).toBe(1);
    reply("b");
    expect(time.clock.pending).toBe(0);
  });

  it("keep to the clock by which they began", async () => {
    const { ask, log } = holder();
    ask("old", 100);
    const other = new ManualClock();
    const restore = useClock(other);
    ask("new", 100);
    await settle();
    expect([time.clock.pending, other.pending]).toEqual([1, 1]);
    await other.advance(100);
    expect(log).toEqual(["new timeout 0"]);
    restore();
    await time.clock.advance(100);
    expect(log).toEqual(["new timeout 0", "old timeout 100"]);
  });
});

describe("by the system's clock", () => {
  /** The timers of the system's clock that are set: the test runner has timers of its own. */
  function timersSet(): Set<unknown> {
    const set = new Set<unknown>();
    const { setTimeout, clearTimeout } = systemClock;
    vi.spyOn(systemClock, "setTimeout").mockImplementation((callback, ms, background) => {
      const fired = () => {
        set.delete(timer);
        callback();
      };
      const timer = setTimeout(fired, ms, background);
      set.add(timer);
      return timer;
    });
    vi.spyOn(systemClock, "clearTimeout").mockImplementation((timer) => {
      set.delete(timer);
      clearTimeout(timer);
    });
    onTestFinished(() => void vi.restoreAllMocks());
    return set;
  }

  it("the timer is kept from call to call, but nothing is left a turn after the last", async () => {
    const restore = useClock(systemClock);
    const set = timersSet();
    try {
      const other = new Listener({ on: (_, message) => (message as CallMessage).reply("here") });
      await settle();
      for (let asked = 0; asked < 100; asked++) await request(other.pid, "x", [], 12_345);
      expect(set.size).toBe(1);
      await settle();
      expect(set.size).toBe(0);
    } finally {
      restore();
    }
  });

  it("a call that is not answered fails", async () => {
    const restore = useClock(systemClock);
    try {
      const other = new Listener();
      expect(await outcome(request(other.pid, "x", [], 5))).toMatchObject({ error: { reason: "timeout" } });
    } finally {
      restore();
    }
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schedule } from "../../../src/otp/process/scheduler.js";
import { settle } from "../../../src/otp/time/clock.js";
import { Listener } from "../support.js";

/** Two processes that answer each other for ever; `asynchronous`: their handlers are promises. */
function chatter(asynchronous: boolean): { stop(): void; readonly said: number } {
  let said = 0;
  const talk = (to: () => Listener) => {
    const say = () => {
      said++;
      to().deliver("go on");
    };
    return asynchronous ? async () => say() : say;
  };
  const a: Listener = new Listener({ on: talk(() => b) });
  const b: Listener = new Listener({ on: talk(() => a) });
  a.deliver("begin");
  return {
    stop: () => {
      a.quit("normal");
      b.quit("normal");
    },
    get said() {
      return said;
    },
  };
}

describe("the line of processes", () => {
  it("handles a message after the code that sent it, never inside it", async () => {
    const process = new Listener();
    process.deliver("m");
    expect(process.got).toEqual([]);
    await Promise.resolve();
    expect(process.got).toEqual(["m"]);
  });

  // A chatty pair that never lets the event loop turn would keep every socket waiting; the test would hang.
  it.each([false, true])(
    "lets the event loop turn though a pair never stops talking (promises: %s)",
    async (asynchronous) => {
      const pair = chatter(asynchronous);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      pair.stop();
      expect(pair.said).toBeGreaterThan(100);
    },
  );

  it("lets others have their turn while one has a full mailbox", async () => {
    const order: string[] = [];
    const busy = new Listener({ on: () => void order.push("busy") });
    const other = new Listener({ on: () => void order.push("other") });
    for (let n = 0; n < 10_000; n++) busy.deliver(n);
    other.deliver("once");
    await settle();
    expect(order.indexOf("other")).toBeLessThan(100);
    expect(order).toHaveLength(10_001);
  });

  it("goes on with the others when one of them fails in a way that it should not", async () => {
    const thrown: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => thrown.push(error));
    const broken = {
      scheduled: false,
      runnable: false,
      run: () => {
        throw new Error("broken");
      },
    };
    const next = new Listener();
    schedule(broken);
    next.deliver("m");
    await settle();
    next.deliver("n");
    await settle();
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
    expect(next.got).toEqual(["m", "n"]);
    expect(thrown).toHaveLength(1);
  });
});

describe("order of messages", () => {
  it("keeps the order between any two processes, whatever their handlers wait for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ from: fc.nat(3), to: fc.nat(3) }), { maxLength: 300 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        async (sends, waits) => {
          const receivers = waits.map(
            (wait) => new Listener({ on: () => (wait ? Promise.resolve() : undefined) }),
          );
          for (const [n, { from, to }] of sends.entries()) receivers[to]?.deliver({ from, n });
          await settle();
          for (const [to, receiver] of receivers.entries()) {
            const expected = sends.flatMap((one, n) => (one.to === to ? [{ from: one.from, n }] : []));
            expect(receiver.got).toEqual(expected);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("keeps the order of what senders send while they handle messages themselves", async () => {
    const sink = new Listener();
    const senders = ["a", "b", "c"].map(
      (name) => new Listener({ on: (_, n) => void sink.deliver(`${name}${n}`) }),
    );
    for (let n = 0; n < 500; n++) for (const sender of senders) sender.deliver(n);
    await settle();
    for (const name of ["a", "b", "c"]) {
      const mine = sink.got.filter((message) => String(message).startsWith(name));
      expect(mine).toEqual(Array.from({ length: 500 }, (_, n) => `${name}${n}`));
    }
  });
});

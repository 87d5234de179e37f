/** Replies that come later: `noreply`, `self.from`, `self.replyTo`. */
import { expect, test } from "vitest";
import {
  call,
  callWithin,
  cast,
  exit,
  type From,
  genServer,
  noreply,
  ProcessExit,
  start,
} from "../../../src/index.js";

/** Jobs by number; who takes one when there is none waits. */
const queue = genServer({
  name: "queue",
  init: () => ({ jobs: [] as number[], waiting: [] as From[] }),
  calls: {
    take: (self) => {
      const job = self.state.jobs.shift();
      if (job !== undefined) return job;
      self.state.waiting.push(self.from);
      return noreply<number>();
    },
    takeSlowly: async (self) => {
      await new Promise((resolve) => setImmediate(resolve));
      self.state.waiting.push(self.from);
      return noreply<number>();
    },
    waiting: (self) => self.state.waiting.length,
  },
  casts: {
    add: (self, job: number) => {
      const from = self.state.waiting.shift();
      if (from) self.replyTo(from, job);
      else self.state.jobs.push(job);
    },
    twice: (self) => {
      const [from] = self.state.waiting;
      self.replyTo(from as From, 1);
      self.replyTo(from as From, 2);
    },
    outside: (self) => void self.from,
  },
});

test("a reply that comes later is that of its call; the server handles others meanwhile", async () => {
  const ref = await start(queue, undefined);
  const first: Promise<number> = call(ref, "take");
  const second = call(ref, "takeSlowly");
  expect(await call(ref, "waiting")).toBe(2);
  cast(ref, "add", 7);
  cast(ref, "add", 8);
  expect(await Promise.all([first, second])).toEqual([7, 8]);
  cast(ref, "add", 9);
  expect(await call(ref, "take")).toBe(9);
  exit(ref, "kill");
});

test("a caller that no longer waits is not replied to, a second reply is dropped", async () => {
  const ref = await start(queue, undefined);
  await expect(callWithin(1, ref, "take")).rejects.toThrow("timed out after 1 ms");
  cast(ref, "add", 1);
  const next = call(ref, "take");
  cast(ref, "twice");
  expect(await next).toBe(1);
  exit(ref, "kill");
});

test("callers that wait get the exit reason of the server", async () => {
  const ref = await start(queue, undefined);
  const waiting = call(ref, "take");
  await call(ref, "waiting");
  exit(ref, "kill");
  await expect(waiting).rejects.toEqual(expect.objectContaining({ reason: "killed" }));
  await expect(waiting).rejects.toBeInstanceOf(ProcessExit);
});

test("self.from outside of a call is a mistake that is named", async () => {
  const ref = await start(queue, undefined);
  const waiting = call(ref, "take");
  cast(ref, "outside");
  await expect(waiting).rejects.toThrow(/exited during the call/);
});

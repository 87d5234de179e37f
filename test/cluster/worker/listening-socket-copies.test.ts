/** Copies of the listening socket: one to accept on, two in reserve, every other one is closed. */
import { expect, onTestFinished, test } from "vitest";
import { ListeningSocketCopies } from "../../../src/cluster/worker/listeners/listening-socket-copies.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";
import { turn } from "../../support/until.js";

/** A primary that answers when the test says so. */
function lending() {
  const open = new Set<string>();
  const asked: number[] = [];
  let requests = 0;
  const primary = { descriptors: true };
  const copies = new ListeningSocketCopies(
    () => asked.push(++requests),
    () => primary.descriptors,
  );
  onTestFinished(() => copies.close());
  const answer = () => {
    const id = asked.shift() as number;
    const name = `copy ${id}`;
    open.add(name);
    copies.received({ name, close: () => open.delete(name) });
  };
  const answerAll = async () => {
    while (asked.length > 0) {
      answer();
      await turn();
    }
  };
  return { copies, asked, open, answer, answerAll, primary };
}

async function acquired(copies: ListeningSocketCopies): Promise<string> {
  return ((await copies.acquire()).handle as { name: string }).name;
}

test("keeps two copies in reserve, available at once", async () => {
  const { copies, asked, answer, answerAll } = lending();
  const first = acquired(copies);
  answer();
  expect(await first).toBe("copy 1");
  expect(copies.ready).toBe(false);
  await answerAll();
  expect(copies.ready).toBe(true);
  expect(await acquired(copies)).toBe("copy 3");
  // Before the next has come there is still one, so that the listener may close what it has.
  expect(copies.ready).toBe(true);
  expect(asked).toHaveLength(1);
});

test("closes surplus copies when a copy is acquired before the reserve has arrived", async () => {
  const { copies, open, answer, answerAll } = lending();
  const first = acquired(copies);
  answer();
  const held = [await first];
  const second = acquired(copies);
  await answerAll();
  held.push(await second);
  copies.close();
  expect([...open].toSorted()).toEqual(held.toSorted());
});

test("close() closes the reserve, and copies that arrive later", async () => {
  const { copies, open, answer, answerAll } = lending();
  const first = acquired(copies);
  answer();
  const held = await first;
  copies.close();
  await answerAll();
  expect([...open]).toEqual([held]);
});

test("a copy that is lost on its way is asked for again, and the reserve is filled after it", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const { copies, asked, answer, answerAll } = lending();
  const first = acquired(copies);
  asked.splice(0);
  await clock.advance(299);
  expect(asked).toEqual([]);
  await clock.advance(1);
  expect(asked).toHaveLength(1);
  asked.splice(0);
  await clock.advance(300);
  answer();
  expect(await first).toBe("copy 5");
  await answerAll();
  expect(copies.ready).toBe(true);
  expect(clock.pending).toBe(0);
});

test("without a free descriptor it does not ask again; with one it does", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const { copies, asked, primary, answerAll } = lending();
  const first = acquired(copies);
  asked.splice(0);
  primary.descriptors = false;
  await clock.advance(60_000);
  expect(asked).toEqual([]);
  primary.descriptors = true;
  await clock.advance(300);
  await answerAll();
  expect(await first).toBe("copy 4");
});

test("a primary that was stopped answers late: surplus copies are closed", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const { copies, open, answerAll } = lending();
  const first = acquired(copies);
  await clock.advance(3_000);
  await answerAll();
  const held = await first;
  expect(open.size).toBe(3);
  copies.close();
  expect([...open]).toEqual([held]);
});

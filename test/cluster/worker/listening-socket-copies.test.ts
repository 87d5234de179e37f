/** Copies of the listening socket: one to accept on, two in reserve, every other one is closed. */
import { expect, test } from "vitest";
import { ListeningSocketCopies } from "../../../src/cluster/worker/listening-socket-copies.js";
import { turn } from "../../support/until.js";

/** A primary that answers when the test says so. */
function lending() {
  const open = new Set<string>();
  const asked: number[] = [];
  const copies = new ListeningSocketCopies((id) => asked.push(id));
  const answer = () => {
    const id = asked.shift() as number;
    const name = `copy ${id}`;
    open.add(name);
    copies.received(id, { name, close: () => open.delete(name) });
  };
  const answerAll = async () => {
    while (asked.length > 0) {
      answer();
      await turn();
    }
  };
  return { copies, asked, open, answer, answerAll };
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

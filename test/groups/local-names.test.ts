/** Names held in an OS process whose hub does not answer: real ones answer at once. */
import { expect, test } from "vitest";
import { LocalNames } from "../../src/groups/local/local-names.js";
import { Process } from "../../src/otp/process/process.js";
import { manualClock } from "../support/serving.js";

class Clerk extends Process {
  get label() {
    return "clerk";
  }
  protected receive(): void {}
}

function stage(mostHeld?: number) {
  const time = manualClock();
  const sent: string[] = [];
  const names = new LocalNames(
    () => ({
      claim: (id, name) => void sent.push(`claim ${id} ${name}`),
      release: (name) => void sent.push(`release ${name}`),
    }),
    mostHeld,
  );
  return { time, sent, names, clerk: new Clerk(undefined) };
}

test("a claim that is not answered in time is taken back, and fails", async () => {
  const { time, sent, names, clerk } = stage();
  const claim = names.claim(clerk, "stock", false, 1_000);
  const failed = expect(claim).rejects.toThrow("the claim of stock was not answered within 1000 ms");
  await time.advance(1_000);
  await failed;
  expect(sent).toEqual(["claim 1 stock", "release stock"]);
});

test("a holder whose second claim is not answered in time keeps the name, also in the hub", async () => {
  const { time, sent, names, clerk } = stage();
  const first = names.claim(clerk, "stock", false, 1_000);
  names.claimed(1, { token: 1, previous: "none" });
  await first;
  const failed = expect(names.claim(clerk, "stock", false, 1_000)).rejects.toThrow("was not answered");
  await time.advance(1_000);
  await failed;
  expect(names.holder("stock")).toBe(clerk);
  expect(sent).toEqual(["claim 1 stock", "claim 2 stock"]);
});

test("of two claims of one process for one name the one that is late ends alone: the other still waits in the hub", async () => {
  const { time, sent, names, clerk } = stage();
  const failed = expect(names.claim(clerk, "stock", false, 1_000)).rejects.toThrow("was not answered");
  const second = names.claim(clerk, "stock", false, 5_000);
  await time.advance(1_000);
  await failed;
  expect(sent).toEqual(["claim 1 stock", "claim 2 stock"]);
  names.claimed(1, { token: 7, previous: "ended" });
  names.claimed(2, { token: 7, previous: "ended" });
  expect(await second).toEqual({ token: 7, previous: "ended" });
  expect(names.holder("stock")).toBe(clerk);
});

test("a worker holds so many names and no more, until one is let go; a name that it holds can be claimed again", async () => {
  const { names, clerk } = stage(2);
  const claim = (name: string) => names.claim(clerk, name, false, 1_000);
  const first = claim("a");
  names.claimed(1, { token: 1, previous: "none" });
  await first;
  const second = claim("b");
  expect(() => claim("c")).toThrow("2 names are held in this worker, which is the most");
  const again = claim("a");
  names.claimed(3, { token: 1, previous: "none" });
  names.claimed(2, { token: 2, previous: "none" });
  await Promise.all([second, again]);
  expect(() => claim("c")).toThrow(RangeError);
  names.release(clerk, "b");
  const third = claim("c");
  names.claimed(4, { token: 1, previous: "none" });
  await third;
});

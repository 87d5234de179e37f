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

function stage() {
  const time = manualClock();
  const sent: string[] = [];
  const names = new LocalNames(() => ({
    claim: (id, name) => void sent.push(`claim ${id} ${name}`),
    release: (name) => void sent.push(`release ${name}`),
  }));
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

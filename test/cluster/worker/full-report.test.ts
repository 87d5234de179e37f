/** Reports of a full listener: soon, few, and again while it is full. */
import { expect, test } from "vitest";
import { FullReport } from "../../../src/cluster/worker/listeners/full-report.js";
import { manualClock } from "../../support/serving.js";

test("it is reported at once, and once while the listener is full", async () => {
  const clock = manualClock();
  const sent: boolean[] = [];
  const report = new FullReport("queue", (full) => void sent.push(full));
  report.changed(true);
  expect(sent).toEqual([true]);
  await clock.advance(60_000);
  expect(sent).toEqual([true]);
});

test("room is reported when it has lasted 10 ms; a listener that fills again before has nothing to say", async () => {
  const clock = manualClock();
  const sent: boolean[] = [];
  const report = new FullReport("refuse", (full) => void sent.push(full));
  report.changed(true);
  for (let n = 0; n < 50; n++) {
    report.changed(false);
    await clock.advance(5);
    report.changed(true);
    await clock.advance(5);
  }
  expect(sent).toEqual([true]);
  report.changed(false);
  await clock.advance(10);
  expect(sent).toEqual([true, false]);
});

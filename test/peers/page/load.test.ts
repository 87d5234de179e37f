/** The observer page of a server with 10,000 connections: no task of the browser may be long. */
import { afterAll, afterEach, expect } from "vitest";
import { closeBrowser } from "../../support/browser.js";
import { Crowd } from "../../support/crowd.js";
import { chromium, desk, endDesk, ends, open } from "../../support/desk.js";
import { FrameClient } from "../../support/frames.js";
import { eventually } from "../../support/until.js";

afterEach(endDesk);
afterAll(closeBrowser);

const LONG_TASKS = `
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) window.longTasks.push(duration);
}).observe({ type: "longtask" });
`;
const CONNECTIONS = 10_000;
const CRASHES_PER_TICK = 5;
const TICK = 100;

chromium("with 10,000 connections and 100 reports a second no task takes longer than 100 ms", async () => {
  const served = await desk();
  const crowd = new Crowd();
  ends.push(() => crowd.leave());
  await crowd.join(served.port, CONNECTIONS);
  const { page } = await open(served, { script: LONG_TASKS });
  await page.locator("header div", { hasText: /^Connections10,\d{3}$/ }).waitFor();
  // Checks the measurement itself: a task of 150 ms must be reported.
  await page.evaluate(
    "setTimeout(() => { for (const end = performance.now() + 150; performance.now() < end; ); })",
  );
  await eventually(() => page.evaluate<boolean>("window.longTasks.some((one) => one > 100)"));
  let crashes = 0;
  // Each crash is at most two reports, and of another kind than the last, so the rate limit drops none.
  const flood = setInterval(async () => {
    for (let n = 0; n < CRASHES_PER_TICK; n++) {
      const one = await FrameClient.connect(served.port).catch(() => undefined);
      one?.send(`crash ${crashes++ % 50}`);
    }
  }, TICK);
  ends.push(() => clearInterval(flood));
  const reports = page.getByRole("log", { name: "Reports" });
  await reports
    .getByText(/as told/)
    .first()
    .waitFor();
  await page
    .getByRole("treeitem", { name: /new: opens the list/ })
    .first()
    .click();
  await page.getByRole("table").waitFor();
  // Repeated, as the machine may be busy: a slow page is slow every time.
  const longest = await eventually(async () => {
    await page.evaluate("window.longTasks.length = 0");
    await page.getByRole("button", { name: "Bytes in" }).click();
    await page.evaluate("document.querySelector('.rows').scrollTo(0, 1e9)");
    const more = page.getByRole("button", { name: /show latest/ });
    await reports.getByRole("button").first().click();
    const newer = async () => Number(/^[\d,]+/.exec(await more.innerText())?.[0].replace(",", "") ?? 0);
    await eventually(async () => (await newer()) >= 500);
    await more.click();
    const found = (await page.evaluate("Math.max(0, ...window.longTasks)")) as number;
    return found <= 100 && { found };
  }, 60_000);
  expect(longest.found).toBeLessThanOrEqual(100);
});

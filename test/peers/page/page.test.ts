/** The observer page in a real browser: what it draws of the built program, and what its buttons do. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { clockTime } from "../../../src/text/clock-time.js";
import { ask } from "../../admin/support.js";
import { http, series } from "../../support/admin-http.js";
import { chromium, client, item, open, panel, sharedDesk, traced } from "../../support/desk.js";
import { isAlive } from "../../support/os-processes.js";
import { Program } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const desk = sharedDesk();

/** Hides or shows the page, as switching tabs does. */
function show(page: Page, how: "hidden" | "visible"): Promise<unknown> {
  return page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "${how}", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))`);
}

/** Presses a button of the panel and confirms. */
async function confirm(page: Page, name: string): Promise<void> {
  await panel(page).getByRole("button", { name, exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

chromium("the tree is drawn, a client appears in it, and a click shows what it holds", async () => {
  const served = desk();
  const { page, requests, complaints } = await open(served);
  for (const name of [/^admin/, /^worker 1/, /^worker 2/, /^listener, <1\.4>, running /])
    await item(page, name).waitFor();
  const one = await client(served.port);
  await one.ask("hello");
  const drawn = item(page, /^connection, known/);
  await drawn.click();
  await panel(page).getByText("frames received").waitFor();
  await panel(page).getByText("last: 'hello'").waitFor();
  one.end();
  await drawn.waitFor({ state: "detached" });
  await panel(page).getByText("This process has ended.").waitFor();
  expect(new Set(requests.map((url) => new URL(url).host))).toEqual(
    new Set([`127.0.0.1:${served.adminPort}`]),
  );
  expect(complaints).toEqual([]);
  expect(page.url()).not.toContain("token");
});

chromium(
  "frames are traced both ways as text and hex, and a kill is seen in reports and counters",
  async () => {
    const served = desk();
    const before = (await http(served.adminPort, "/metrics/now")).body;
    const { page } = await open(served);
    const one = await client(served.port);
    await item(page, /^connection, new/).click();
    await panel(page).getByRole("button", { name: "Trace" }).click();
    const trace = await traced(page, one);
    await one.ask("hello");
    await trace.getByText("68 65 6c 6c 6f").first().waitFor();
    for (const what of ["in", "out", "state"]) await trace.getByText(what, { exact: true }).first().waitFor();
    await confirm(page, "Kill");
    await one.closed;
    await panel(page).getByText("This process has ended.").waitFor();
    await panel(page).getByRole("button", { name: "Close" }).click();
    const counted = (what: string, metric: string) => {
      const wanted = 1 + (series(before, metric) ?? 0);
      return panel(page)
        .locator("div", { hasText: new RegExp(`^${what}${wanted}$`) })
        .waitFor();
    };
    await counted("closed", "drover_connections_closed_total");
    const other = await client(served.port);
    other.send("crash 2");
    await page
      .getByRole("log", { name: "Reports" })
      .getByText(/\bE2\b.*as told/)
      .first()
      .waitFor();
    await counted("crashes", "drover_crashes_total");
  },
);

chromium("the charts begin where the server does, not where the page was opened", async () => {
  const served = desk();
  const kept = async () => (await ask({ port: served.adminPort }, { path: "/history" })).json;
  const { from } = await eventually(async () => {
    const history = await kept();
    return history.rows.length > 2 && history;
  });
  const { page } = await open(served);
  const since = page.getByRole("region", { name: "Last 15 minutes" }).getByText(/^since /);
  const expected = [from - 1, from, from + 1].map((at) => `since ${clockTime(at)}`);
  await expect.poll(() => since.innerText()).toBeOneOf(expected);
});

chromium("a process is followed while its page is open, and no longer", async () => {
  const served = desk();
  const { page, requests } = await open(served);
  const one = await client(served.port);
  await one.ask("hello");
  const ended = (pid: string) =>
    page.waitForEvent("requestfailed", (request) =>
      request.url().endsWith(`/trace/${encodeURIComponent(pid)}`),
    );
  const traces = () => requests.filter((url) => url.includes("/trace/")).length;
  await item(page, /^connection, known/).click();
  const pid = await panel(page).getByRole("heading", { level: 2 }).locator(".pid").innerText();
  const last = page.getByRole("log", { name: "Last messages" });
  for (let asked = 0; asked < 10; asked++) await one.ask(`ping ${asked}`);
  await eventually(async () => {
    await one.ask("last");
    return (await last.count()) > 0 && (await last.locator(".line").count()) === 8;
  });
  await last.getByText("last").first().waitFor();
  const hidden = ended(pid);
  await show(page, "hidden");
  await hidden;
  expect(traces()).toBe(1);
  await show(page, "visible");
  await eventually(() => traces() === 2);
  const other = ended(pid);
  await item(page, /^listener, <1\.4>/).click();
  await other;
  await eventually(() => traces() === 3);
  const closed = ended("<1.4>");
  await panel(page).getByRole("button", { name: "Close" }).click();
  await closed;
});

chromium(
  "the keyboard alone goes through the tree, opens and closes branches, and asks before it kills",
  async () => {
    const served = desk();
    const { page } = await open(served);
    await item(page, /^drover/).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label')");
    await expect.poll(focused).toMatch(/^worker 1/);
    const items = () => page.getByRole("treeitem").count();
    const whole = await items();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(items).toBeLessThan(whole);
    await page.keyboard.press("ArrowRight");
    await expect.poll(items).toBe(whole);
    await page.keyboard.press("Enter");
    await panel(page).getByRole("heading", { name: "worker 1" }).waitFor();
    await panel(page).getByRole("button", { name: "Kill" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: /^Kill worker 1/ });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(served.program.workers()).toHaveLength(2);
  },
);

chromium(
  "without the token the page shows all, and says how to get it before it changes anything",
  async () => {
    const served = desk();
    const { page } = await open(served, { token: false });
    await panel(page).getByRole("button", { name: "Suspend" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("drover page").waitFor();
    await dialog.getByRole("textbox").fill("wrong".padEnd(43, "x"));
    await dialog.getByRole("button", { name: "Save token" }).click();
    await panel(page).getByRole("button", { name: "Suspend" }).click();
    await dialog.getByRole("button", { name: "Suspend" }).click();
    await dialog.getByText(/Wrong token/).waitFor();
  },
);

chromium("what clients and their states are called is text, whatever it looks like", async () => {
  const served = desk();
  const { page, complaints } = await open(served);
  const one = await client(served.port);
  await one.ask("<img src=x onerror=document.title='hacked'>");
  await item(page, /^connection,/).click();
  await panel(page).getByText("<img src=x").waitFor();
  expect(await page.locator("img").count()).toBe(0);
  expect(complaints).toEqual([]);
});

chromium("while the page is hidden it asks for nothing, however long", async () => {
  const served = desk();
  const { page, requests } = await open(served);
  await page.clock.install();
  await show(page, "hidden");
  // Requests that are under way end first.
  await page.clock.runFor(10_000);
  const before = requests.length;
  await page.clock.runFor(10 * 60_000);
  expect(requests.slice(before)).toEqual([]);
  await show(page, "visible");
  await eventually(async () => {
    await page.clock.runFor(1_000);
    return requests.slice(before).some((url) => url.includes("/tree"));
  });
});

chromium(
  "at 1280 pixels nothing is cut: CPU of workers, closes by reason, tree and table of connections",
  async () => {
    const served = desk();
    const { page } = await open(served, { viewport: { width: 1280, height: 900 } });
    const [one, other] = [await client(served.port), await client(served.port)];
    await one.ask("hello");
    await other.ask("hello");
    other.send("crash 1");
    await panel(page).getByRole("heading", { name: "Closes by reason" }).waitFor();
    await panel(page).getByText("crash", { exact: true }).waitFor();
    await panel(page).getByText("accept queue").waitFor();
    await panel(page)
      .getByText(/^CPU \d+%, /)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "All connections" }).click();
    await page.getByRole("columnheader", { name: "Mailbox" }).waitFor();
    const cut = `[...document.querySelectorAll("*")]
    .filter((one) => getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
    .map((one) => one.className + ": " + one.scrollWidth + " > " + one.clientWidth)`;
    // A report of the crash is longer than its line, and opens in full.
    const found = (await page.evaluate(cut)) as string[];
    expect(found.filter((one) => !one.startsWith("message"))).toEqual([]);
  },
);

// The last three change the server: another worker, which has longer pids; drained; ended.

chromium("a worker that was killed is replaced in the picture, and the budget is one less", async () => {
  const served = desk();
  const { page } = await open(served);
  const before = served.program.workers();
  await item(page, new RegExp(`^worker .*os ${before[0]}`)).waitFor();
  process.kill(before[0] as number, "SIGKILL");
  const after = await eventually(() => served.program.workers().find((osPid) => !before.includes(osPid)));
  await item(page, new RegExp(`^worker .*os ${after}`)).waitFor();
  await page.locator("header div", { hasText: /^Restarts left4$/ }).waitFor();
  const report = page
    .getByRole("log", { name: "Reports" })
    .getByRole("button", { name: /primary.*child_terminated, killed/ });
  await report.click();
  await page.getByText("supervisor: drover").waitFor();
});

chromium("suspend, resume, scale and drain do what they say", async () => {
  const served = desk();
  const { page } = await open(served);
  await confirm(page, "Suspend");
  await item(page, /^listener, .*, suspended /)
    .first()
    .waitFor();
  await confirm(page, "Resume");
  await item(page, /^listener, .*, running /)
    .first()
    .waitFor();
  await panel(page).getByRole("button", { name: "Scale" }).click();
  await page.getByRole("spinbutton", { name: "Workers" }).fill("3");
  await page.getByRole("dialog").getByRole("button", { name: "Scale" }).click();
  await item(page, /^worker 3/).waitFor();
  await client(served.port);
  await item(page, /^connection,/).waitFor();
  await confirm(page, "Drain");
  await page
    .getByText(/Draining|Drained/)
    .first()
    .waitFor();
});

chromium("a server that goes away is told of, and found again by itself", async () => {
  const served = desk();
  const { page } = await open(served);
  // It may go before it has told all of itself.
  await page.route("**/info", (route) => route.abort());
  await page.reload();
  await item(page, /^worker 1/).waitFor();
  const workers = served.program.workers();
  await served.stop();
  await page.getByRole("alert").getByText("The server does not respond.").waitFor();
  await page.getByRole("alert").getByText("drover page").waitFor();
  // Its workers hold the port until they have noticed that the primary is gone.
  await eventually(() => !workers.some(isAlive));
  const again = new Program([
    "start",
    `--port=${served.port}`,
    `--admin-port=${served.adminPort}`,
    "--workers=1",
  ]);
  await again.line(({ msg }) => / serves /.test(msg ?? ""));
  await page.getByRole("alert").waitFor({ state: "detached" });
  await item(page, new RegExp(`os ${again.workers()[0]}`)).waitFor();
});

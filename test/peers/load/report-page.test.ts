// The page that --html writes, in a real browser: it fits a phone, needs no network, and passes axe.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { parseArguments } from "../../../scripts/load/command-line/arguments.js";
import { thisMachine } from "../../../scripts/load/coordinator/machine.js";
import type { Report } from "../../../scripts/load/coordinator/session.js";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { html } from "../../../scripts/load/report/html.js";
import { echo } from "../../scripts/servers.js";
import { launchBrowser } from "../../support/browser.js";
import { find, testWith } from "../../support/peers.js";

const test = testWith("chromium", "apt-get install chromium");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let page: string;

beforeAll(async () => {
  if (!find("chromium")) return;
  browser = await launchBrowser();
  await using server = await echo();
  const result = await runLoad({
    port: server.port,
    mode: "rate",
    rate: 500,
    connections: 10,
    durationMs: 1_000,
  });
  const timeline = Array.from({ length: 30 }, (_, i) => ({
    ...{
      second: i + 1,
      rate: 500 - i,
      p50: 0.3,
      p99: 2 + (i % 3),
      max: 20,
      open: 10,
      errors: i > 20 ? 1 : 0,
    },
    ...{ restarts: i === 20 ? 1 : 0, cpuSeconds: i * 0.2 },
  }));
  const settings = parseArguments(["--mode", "rate", "--rate", "500"])!;
  const report: Report = {
    ...{
      startedAt: new Date(),
      settings,
      command: "npm run load -- --mode rate --rate 500",
      machine: thisMachine(),
    },
    ...{ coresBusy: 0.99, result, totals: result.tally, timeline, steps: [], verdicts: [] },
    server: {
      cpu: 0.3,
      cpuSeconds: 2,
      memoryBytes: 2e8,
      restarts: 1,
      accepted: 10,
      framesReceived: 500,
      framesSent: 500,
    },
  };
  page = html(report);
});

afterAll(() => browser?.close());

async function opened(look: { width: number; dark?: boolean }): Promise<{ tab: Page; complaints: string[] }> {
  const colorScheme = look.dark ? "dark" : "light";
  const tab = await browser.newPage({ viewport: { width: look.width, height: 800 }, colorScheme });
  const complaints: string[] = [];
  tab.on("console", (message) => complaints.push(message.text()));
  tab.on("pageerror", (error) => complaints.push(error.message));
  tab.on("request", (request) => complaints.push(request.url()));
  await tab.setContent(page);
  return { tab, complaints };
}

test.each([{ width: 1_200 }, { width: 1_200, dark: true }, { width: 360 }])(
  "is readable and accessible at %o",
  async (look) => {
    const { tab, complaints } = await opened(look);
    expect(await tab.title()).toBe("Load test of 127.0.0.1 port 2222");
    expect(await tab.locator("svg").count()).toBe(5);
    const overflow = await tab.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    await tab.evaluate(axe);
    const violations = await tab.evaluate(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
    );
    expect(violations).toEqual([]);
    expect(complaints).toEqual([]);
  },
);

/** Chromium for tests of the observer page. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { ask } from "../admin/support.js";
import { find } from "./peers.js";
import type { Served } from "./program.js";

const require = createRequire(import.meta.url);

let browser: Promise<Browser> | undefined;

/**
 * Not of the page: Chromium draws the popup of its address bar as two pages of its own in every window, which cost 1.5 s
 * of CPU each time, and keeps a process ready for the next page, which each test would start in vain. The others are of
 * playwright-core's list, which this one replaces.
 */
const WITHOUT = [
  ...[
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "SpareRendererForSitePerProcess",
  ],
  ...["HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "OptimizationHints", "PreconnectToSearch"],
  ...["NetworkTimeServiceQuerying", "AvoidUnnecessaryBeforeUnloadCheckSync", "ThirdPartyStoragePartitioning"],
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: find("chromium") as string,
    args: [
      ...["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
      `--disable-features=${WITHOUT.join()}`,
    ],
  });
}

/** For `afterAll`. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

export interface Look {
  readonly page: Page;
  /** URLs that the page has requested. */
  readonly requests: string[];
  /** Uncaught errors of the page, and violations of the content security policy. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface LookOptions extends BrowserContextOptions {
  /** Whether the page gets the token. Default true. */
  readonly token?: boolean;
  /** Script that runs in the page before its own. */
  readonly script?: string;
}

/** Opens the page with the link that `drover page` prints, and waits until the tree is drawn. */
export async function look(
  served: Pick<Served, "adminPort" | "control">,
  { token = true, script, ...options }: LookOptions = {},
): Promise<Look> {
  browser ??= launchBrowser();
  const context = await (await browser).newContext({ reducedMotion: "reduce", ...options });
  // As for conditions of other tests (`eventually`), not playwright's 30 s.
  context.setDefaultTimeout(45_000);
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
  });
  if (script !== undefined) await page.addInitScript(script);
  await page.goto(`http://127.0.0.1:${served.adminPort}/${token ? `#token=${await tokenOf(served)}` : ""}`);
  await page.getByRole("treeitem", { name: /^drover/ }).waitFor();
  return { page, requests, complaints, close: () => context.close() };
}

async function tokenOf({ control }: Pick<Served, "control">): Promise<string> {
  const { json } = await ask({ socketPath: control }, { path: "/token" });
  return json.token;
}

/** Violations that axe rates serious or critical, as `rule: selector`. */
export async function findings(page: Page): Promise<string[]> {
  if (!(await page.evaluate("'axe' in window")))
    await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const options = JSON.stringify({
    // For users of voice control; axe has this rule off by default.
    rules: { "label-content-name-mismatch": { enabled: true } },
    // Of the others it tells one node each, which is cheaper.
    resultTypes: ["violations"],
  });
  return page.evaluate(`axe.run(${options}).then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ": " + target + " " + failureSummary)))`);
}

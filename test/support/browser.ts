/** A real Chromium that looks at the observer page of the built program. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { ask } from "../admin/support.js";
import { find } from "./peers.js";
import type { Served } from "./program.js";

const require = createRequire(import.meta.url);

let browser: Promise<Browser> | undefined;

/** For `afterAll`. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

export interface Look {
  readonly page: Page;
  /** Addresses of everything that the page has asked for. */
  readonly requests: string[];
  /** What the page complained of: errors that nobody caught, refusals of the content security policy. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface LookOptions extends BrowserContextOptions {
  /** Whether the page gets the token. Default true. */
  readonly token?: boolean;
  /** Run in the page before its own program. */
  readonly script?: string;
}

/** Opens the page as `drover page` has it, and waits until the tree is there. */
export async function look(
  served: Served,
  { token = true, script, ...options }: LookOptions = {},
): Promise<Look> {
  browser ??= chromium.launch({
    executablePath: find("chromium") as string,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  const context = await (await browser).newContext({ reducedMotion: "reduce", ...options });
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

async function tokenOf({ control }: Served): Promise<string> {
  const { json } = await ask({ socketPath: control }, { path: "/token" });
  return json.token;
}

/** What axe finds serious or critical: `rule: selector`. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  // Those who speak to a page say what they see: off unless asked for.
  const rules = JSON.stringify({ "label-content-name-mismatch": { enabled: true } });
  return page.evaluate(`axe.run({ rules: ${rules} }).then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ": " + target + " " + failureSummary)))`);
}

/**
 * Makes the screenshot of the observer page for the README: starts the server with a few clients, kills one worker,
 * opens the page in Chromium and traces one connection.
 *
 *   node scripts/setup.mjs && node scripts/run.mjs screenshot
 *
 * Takes a good minute. Needs Chromium (`chromium`, or the path in CHROMIUM) and the free ports 2222 and 9464.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { Clients } from "./screenshot/clients.js";
import { toPalettePng } from "./screenshot/palette-png.js";
import { ScreenshotServer } from "./screenshot/server.js";

const TARGET = join(import.meta.dirname, "../../src/admin/page/observer.png");
const SIZE = { width: 1520, height: 1000 };
/** Milliseconds that the charts show at least, and when a worker is killed in that time. */
const CHARTED = 62_000;
const KILLED_AFTER = 34_000;
/** Interval for checking that both workers have clients: which worker accepts is chance. */
const CHECK_EVERY = 2_000;
/** Until the trace fills its place on the page. */
const TRACED_FOR = 9_000;

async function take(page: string, peer: string): Promise<Buffer> {
  const executablePath =
    process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const tab = await browser.newPage({ viewport: SIZE, colorScheme: "light", reducedMotion: "reduce" });
    await tab.goto(page);
    await tab.getByRole("treeitem", { name: peer }).click();
    await tab.getByRole("button", { name: "Trace" }).click();
    await sleep(TRACED_FOR);
    return await tab.screenshot();
  } finally {
    await browser.close();
  }
}

const dir = mkdtempSync(join(tmpdir(), "drover-picture-"));
const server = new ScreenshotServer(dir);
const clients = new Clients(server.port);
try {
  await server.started;
  clients.begin();
  await sleep(KILLED_AFTER);
  await server.killWorker();
  for (let left = CHARTED - KILLED_AFTER; left > 0; left -= CHECK_EVERY) {
    await sleep(CHECK_EVERY);
    if (!(await server.isShared())) clients.reconnectOne();
  }
  const picture = toPalettePng(await take(await server.page(), clients.quietPeer));
  writeFileSync(TARGET, picture);
  process.stdout.write(`${TARGET}: ${Math.ceil(picture.length / 1000)} kB\n`);
} finally {
  clients.end();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

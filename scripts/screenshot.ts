/**
 * Takes the picture of the observer page that the README shows: a real server with a few clients, one of whose
 * workers is killed, and a real Chromium that comes later and follows one client.
 *
 *   node scripts/setup.mjs && node scripts/run.mjs screenshot
 *
 * It takes a good minute, and needs Chromium (`chromium`, or the path in CHROMIUM) and the ports 2222 and 9464.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { Clients } from "./screenshot/clients.js";
import { indexed } from "./screenshot/palette-png.js";
import { PictureServer } from "./screenshot/server.js";

const TARGET = join(import.meta.dirname, "../../src/admin/page/observer.png");
const SIZE = { width: 1440, height: 1000 };
/** Milliseconds: what the charts show at least, and when in it a worker is killed. */
const CHARTED = 62_000;
const KILLED_AFTER = 34_000;
/** Which worker accepts is chance: so often it is looked whether both have clients. */
const LOOKS_EVERY = 2_000;
/** Until the trace is as long as its place. */
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
const server = new PictureServer(dir);
const clients = new Clients(server.port);
try {
  await server.started;
  clients.begin();
  await sleep(KILLED_AFTER);
  await server.killWorker();
  for (let left = CHARTED - KILLED_AFTER; left > 0; left -= LOOKS_EVERY) {
    await sleep(LOOKS_EVERY);
    if (!(await server.isShared())) clients.oneComesBack();
  }
  const picture = indexed(await take(await server.page(), clients.calm));
  writeFileSync(TARGET, picture);
  process.stdout.write(`${TARGET}: ${Math.ceil(picture.length / 1000)} kB\n`);
} finally {
  clients.end();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

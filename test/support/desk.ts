/** Server, browser tabs and clients for tests of the observer page; they end with the test. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { http, series } from "./admin-http.js";
import { closeBrowser, type Look, type LookOptions, look } from "./browser.js";
import { FrameClient } from "./frames.js";
import { testWith } from "./peers.js";
import { endAll, type Served, serveProtocol } from "./program.js";
import { eventually } from "./until.js";

export const chromium = testWith("chromium", "apt-get install chromium");

/** Clean-up functions of the running test: tabs, clients, timers. */
export const ends: (() => unknown)[] = [];

/** For `afterEach`. */
export async function endDesk(): Promise<void> {
  await endVisit();
  await endAll();
}

async function endVisit(): Promise<void> {
  for (const end of ends.splice(0)) await end();
}

/**
 * One desk and one browser for all tests of a file. Each test leaves it without tabs and clients, so that the next one
 * finds none of them in the tree.
 */
export function sharedDesk(): () => Awaited<ReturnType<typeof desk>> {
  let served: Awaited<ReturnType<typeof desk>>;
  beforeAll(async () => {
    served = await desk();
  });
  afterEach(async () => {
    await endVisit();
    await eventually(async () => served.program.over || (await clients(served)) === 0);
  });
  afterAll(async () => {
    await endDesk();
    await closeBrowser();
  });
  return () => served;
}

/** Clients as the workers count them now. */
async function clients({ adminPort }: Served): Promise<number | undefined> {
  return series((await http(adminPort, "/metrics/now")).body, "drover_connections_active");
}

/** Longer than the room on a card of the tree. */
export const LONG = "a_state_whose_name_is_far_too_long_for_any_card";

/** Keeps the last frame in its data; `crash 7` throws an error named E7, so that reports are not grouped. */
const PROTOCOL = `
import { defineProtocol, next, packet } from "drover";
const frame = (conn, frame) => {
  const text = String(frame);
  if (text.startsWith("crash")) throw Object.assign(new Error("as told"), { name: "E" + text.slice(6) });
  conn.data.last = text;
  conn.send(text);
  if (text === "long") return next("${LONG}");
  return text === "hello" ? next("known") : undefined;
};
export default defineProtocol({
  name: "desk",
  framing: packet(2),
  data: () => ({ last: "" }),
  states: { new: { frame }, known: { frame }, "<b>odd</b>": {}, ${LONG}: { frame } },
});
`;

export async function desk(...args: string[]) {
  return serveProtocol("desk.ts", PROTOCOL, args);
}

export async function open(served: Parameters<typeof look>[0], options?: LookOptions): Promise<Look> {
  const opened = await look(served, options);
  ends.push(() => opened.close());
  return opened;
}

export async function client(port: number): Promise<FrameClient> {
  const joined = await FrameClient.connect(port);
  ends.push(() => joined.end());
  return joined;
}

export const item = (page: Page, name: string | RegExp) => page.getByRole("treeitem", { name });
export const panel = (page: Page) => page.getByRole("complementary", { name: "Details" });

/** The trace panel, after frames of this client have appeared in it. */
export async function traced(page: Page, one: FrameClient) {
  const trace = page.getByRole("log", { name: "Trace" });
  await eventually(async () => {
    await one.ask("ping");
    return (await trace.count()) > 0;
  });
  return trace;
}

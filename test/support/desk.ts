/** Server, browser tabs and clients for tests of the observer page; they end with the test. */
import type { Page } from "playwright-core";
import { type Look, type LookOptions, look } from "./browser.js";
import { FrameClient } from "./frames.js";
import { testWith } from "./peers.js";
import { endAll, serveProtocol } from "./program.js";
import { eventually } from "./until.js";

export const chromium = testWith("chromium", "apt-get install chromium");

/** Clean-up functions of the running test: tabs, clients, timers. */
export const ends: (() => unknown)[] = [];

/** For `afterEach`. */
export async function endDesk(): Promise<void> {
  for (const end of ends.splice(0)) await end();
  await endAll();
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

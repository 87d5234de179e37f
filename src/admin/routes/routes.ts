/**
 * The table of routes: all that can be asked of the running program from outside, the same over HTTP and over
 * the control socket. Everything that changes something is a POST; app.ts and guard.ts rely on that.
 */
import { PAGE, pageFile, wantsPage } from "../http/page-files.js";
import { CHANGING } from "./changing.js";
import { READING } from "./reading.js";
import type { Route } from "./route.js";
import { STEERING } from "./steering.js";
import { STREAMS } from "./streaming.js";

export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/",
    open: true,
    sentence: "The observer page for a browser, else this list.",
    answer: (c) => (wantsPage(c) ? pageFile(c, "index.html") : c.text(listing(), 200, { vary: "accept" })),
  },
  ...PAGE,
  ...READING,
  ...STREAMS,
  ...CHANGING,
  ...STEERING,
];

/** The table as text. */
export function listing(): string {
  const width = Math.max(...ROUTES.map(({ path }) => path.length)) + 2;
  const rows = ROUTES.map(({ method, path, sentence }) => {
    return `${method.padEnd(5)}${path.padEnd(width)}${sentence}`;
  });
  const post = "A POST takes application/json, and over TCP the header Authorization: Bearer TOKEN.";
  return `${["drover admin", "", ...rows, "", post].join("\n")}\n`;
}

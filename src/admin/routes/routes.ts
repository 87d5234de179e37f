/**
 * Table of routes: all operations on the running program, the same on the TCP port and on the control socket.
 * Every change is a POST; app.ts and guard.ts rely on that.
 */
import { PAGE_ROUTES, pageFile, wantsPage } from "../http/page-files.js";
import { BAN_ROUTES } from "./ban-routes.js";
import { CHANGE_ROUTES } from "./change-routes.js";
import { EVENT_ROUTES } from "./event-routes.js";
import { GROUP_ROUTES } from "./group-routes.js";
import { LIMIT_ROUTES } from "./limit-routes.js";
import { READ_ROUTES } from "./read-routes.js";
import type { Route } from "./route.js";
import { STREAM_ROUTES } from "./stream-routes.js";

export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/",
    open: true,
    sentence: "Observer page for a browser, this list for other clients.",
    answer: (c) => (wantsPage(c) ? pageFile(c, "index.html") : c.text(listing(), 200, { vary: "accept" })),
  },
  ...PAGE_ROUTES,
  ...READ_ROUTES,
  ...GROUP_ROUTES,
  ...STREAM_ROUTES,
  ...EVENT_ROUTES,
  ...CHANGE_ROUTES,
  ...LIMIT_ROUTES,
  ...BAN_ROUTES,
];

/** The table as text. */
export function listing(): string {
  const width = Math.max(...ROUTES.map(({ path }) => path.length)) + 2;
  const rows = ROUTES.map(({ method, path, sentence }) => {
    return `${method.padEnd(5)}${path.padEnd(width)}${sentence}`;
  });
  const post =
    "A POST needs content-type application/json, and over TCP the header Authorization: Bearer TOKEN.";
  return `${["drover admin", "", ...rows, "", post].join("\n")}\n`;
}

/** Files of the observer page: three files of dist/page. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Context } from "hono";
import type { Env } from "../access/guard.js";
import type { Route } from "../routes/route.js";

/** Content from this server only and no inline script or style: text from a connection can never run. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES = {
  "index.html": "text/html; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
} as const;

type Name = keyof typeof TYPES;

interface PageFile {
  readonly text: string;
  readonly tag: string;
}

/** Read at the first request. */
const files = new Map<Name, PageFile>();

/** Routes of the page besides `GET /`. Open: the files contain nothing secret. */
export const PAGE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/page.js",
    open: true,
    sentence: "Script of the observer page.",
    answer: (c) => pageFile(c, "page.js"),
  },
  {
    method: "GET",
    path: "/page.css",
    open: true,
    sentence: "Style sheet of the observer page.",
    answer: (c) => pageFile(c, "page.css"),
  },
];

/** Whether the client is a browser, which accepts HTML. */
export function wantsPage(c: Context<Env>): boolean {
  return /\btext\/html\b/i.test(c.req.header("accept") ?? "");
}

/** One file of the page; 304 when the browser has this version. */
export function pageFile(c: Context<Env>, name: Name): Response {
  const { text, tag } = found(name);
  const headers = {
    "content-type": TYPES[name],
    "content-security-policy": POLICY,
    // Revalidated each time, and sent only when its version has changed.
    "cache-control": "no-cache",
    etag: tag,
    vary: "accept",
  };
  return c.req.header("if-none-match") === tag ? c.body(null, 304, headers) : c.body(text, 200, headers);
}

function found(name: Name): PageFile {
  const known = files.get(name);
  if (known) return known;
  const text = readFileSync(new URL(`page/${name}`, import.meta.url), "utf8");
  const made = { text, tag: `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"` };
  files.set(name, made);
  return made;
}

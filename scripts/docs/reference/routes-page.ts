/** Page of the reference: routes of the admin server. */
import type { Route } from "../../../src/admin/routes/route.js";
import { ROUTES } from "../../../src/admin/routes/routes.js";
import { code, table } from "./markdown.js";

export function routesPage(): string {
  return [
    'The same on the control socket (`--control`, HTTP over a UNIX socket: `curl --unix-socket PATH http://drover/ready`) and on the admin port. Answers are JSON; a refusal is `{"error": …}` with a status of 400, 401, 403, 404, 409, 413, 415, 429 or 503.',
    table(
      ["method", "path", "what it does", "body or query", "over TCP"],
      ROUTES.map((route) => [
        route.method,
        code(route.path),
        route.sentence,
        [...(route.keys ?? []), ...(route.query ?? [])].map(code).join(" "),
        accessOf(route),
      ]),
    ),
    "- **open**: without the token on every address. **read**: without the token on loopback, with it elsewhere. **token**: `Authorization: Bearer TOKEN`, from the same site, and `content-type: application/json`. **socket only**: not over TCP.",
    "- On the control socket everything is allowed: only its owner, and root, can connect to it. Each change is an [audit line](running.md#who-changed-what).",
  ].join("\n\n");
}

function accessOf({ method, open = false, local = false }: Route): string {
  if (local) return "socket only";
  if (open) return "open";
  return method === "GET" ? "read" : "token";
}

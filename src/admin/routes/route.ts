/** A route of the admin server, and answers that several routes give. */
import type { Context } from "hono";
import type { Control } from "../../control/control.js";
import type { Env } from "../access/guard.js";
import type { RouteContext } from "./route-context.js";

/** Members of a JSON body; all of them are in `keys`. */
export type Body = Readonly<Record<string, unknown>>;

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly sentence: string;
  /** Allowed members of the body of a POST. */
  readonly keys?: readonly string[];
  /** Its body has a message, of up to `--max-message` bytes. */
  readonly message?: boolean;
  /** Allowed names in the query of a GET. Default: none. */
  readonly query?: readonly string[];
  /** Contains nothing secret: answered without the token on every address. */
  readonly open?: boolean;
  /** A GET that is logged like a change: it shows what clients send. */
  readonly audited?: boolean;
  /** Only on the control socket. */
  readonly local?: boolean;
  answer(c: Context<Env>, control: Control, body: Body, context: RouteContext): Response | Promise<Response>;
}

export function badPid(c: Context<Env>): Response {
  return c.json({ error: "not a pid: a pid looks like <1.17>" }, 400);
}

export function noProcess(c: Context<Env>, pid: string): Response {
  return c.json({ error: `no process ${pid}` }, 404);
}

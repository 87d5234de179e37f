/** What a row of the table of routes is, and the answers that several of them give. */
import type { Context } from "hono";
import type { Control } from "../../control/control.js";
import type { Env } from "../access/guard.js";
import type { Room } from "./context.js";

/** The members of a JSON body, already held against `keys`. */
export type Body = Readonly<Record<string, unknown>>;

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly sentence: string;
  /** The members that the body of a POST may have. */
  readonly keys?: readonly string[];
  /** The names that the query of a GET may have: default none. */
  readonly query?: readonly string[];
  /** Reads nothing that has to be kept from other machines: answered without the token wherever the server is bound. */
  readonly open?: boolean;
  /** Is there on the control socket only. */
  readonly local?: boolean;
  answer(c: Context<Env>, control: Control, body: Body, room: Room): Response | Promise<Response>;
}

export function badPid(c: Context<Env>): Response {
  return c.json({ error: "not a pid: a pid looks like <1.17>" }, 400);
}

export function noProcess(c: Context<Env>, pid: string): Response {
  return c.json({ error: `no process ${pid}` }, 404);
}

/**
 * Who may do what. The control socket lies in a folder that only its owner can enter, so whoever speaks there
 * is the operator. Over TCP come every program of this machine and, through their browser, every web site
 * that somebody on it looks at:
 *
 *   a page at evil.example that resolves to 127.0.0.1 (DNS rebinding)  → its Host is not ours: 403
 *   a page that posts a form or fetches across sites                   → Origin, Sec-Fetch-Site: 403
 *   a program that wants to change something                           → needs the token: 401
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { EXIT } from "../config.js";
import { AdminError } from "./errors.js";

/** What hono's handlers know of a request. */
export type Env = { Bindings: HttpBindings };

/** Through which a request came in. */
export type Door = { readonly kind: "control" } | TcpDoor;

export interface TcpDoor {
  readonly kind: "tcp";
  /** The address it is bound to. */
  readonly host: string;
  /** Of the token, if there is one. */
  readonly digest: Buffer | undefined;
}

const LEAST_TOKEN = 32;

/** @throws AdminError (78) when the door would be open to other machines, or the token can be guessed */
export function tcpDoor(host: string, token: string | undefined): TcpDoor {
  if (token !== undefined && token.length < LEAST_TOKEN) {
    const advice = `at least ${LEAST_TOKEN} characters, such as \`openssl rand -hex 32\` prints`;
    throw new AdminError(
      "bad_token",
      `the token of the admin server is too short: take ${advice}`,
      EXIT.badConfig,
    );
  }
  if (token === undefined && !isLoopback(host)) {
    const message = `admin host ${host}: other machines could reach the admin server there and it has no token: take 127.0.0.1, or set a token`;
    throw new AdminError("exposed", message, EXIT.badConfig);
  }
  return { kind: "tcp", host, digest: token === undefined ? undefined : digestOf(token) };
}

/** Refuses what is asked in a name that is not ours. Behind any other address than loopback names are free. */
export function checkHost(door: Door): MiddlewareHandler<Env> {
  const names = door.kind === "tcp" && isLoopback(door.host) ? ownNames(door.host) : undefined;
  return async (c, next) => {
    const host = c.env.incoming.headers.host;
    // Health checks of HTTP/1.0 send no Host; browsers, against whom this is, always do.
    if (names === undefined || host === undefined || names.has(withoutPort(host))) return next();
    return c.json({ error: "unknown Host: ask for localhost or 127.0.0.1" }, 403);
  };
}

/** Refuses a change by anyone who is not the operator. */
export function checkChange(door: Door): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (door.kind === "tcp") {
      if (isCrossSite(c)) return c.json({ error: "requests from other web sites change nothing here" }, 403);
      if (door.digest === undefined) {
        return c.json({ error: "no token is configured: changes are made over the control socket" }, 403);
      }
      if (!isAuthorized(c, door.digest)) {
        return c.json({ error: "this needs the token" }, 401, { "www-authenticate": "Bearer" });
      }
    }
    return next();
  };
}

function isCrossSite(c: Context<Env>): boolean {
  const { origin, host, "sec-fetch-site": site } = c.env.incoming.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
}

function isAuthorized(c: Context<Env>, digest: Buffer): boolean {
  const token = /^Bearer +(\S+) *$/i.exec(c.env.incoming.headers.authorization ?? "")?.[1] ?? "";
  // Digests are all of one length: the time of the comparison tells nothing, not even how long the token is.
  return timingSafeEqual(digestOf(token), digest);
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function ownNames(host: string): ReadonlySet<string> {
  return new Set(["localhost", "127.0.0.1", "[::1]", isIP(host) === 6 ? `[${host}]` : host.toLowerCase()]);
}

function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, "");
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** A name other than localhost counts as foreign: what it resolves to may change. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}

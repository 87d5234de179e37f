/**
 * Who may do what. The control socket lies in a folder that only its owner can enter, so whoever speaks there
 * is the operator. Over TCP come every program of this machine and, through their browser, every web site
 * that somebody on it looks at:
 *
 *   a page at evil.example that resolves to 127.0.0.1 (DNS rebinding)  → its Host is not ours: 403
 *   a page that posts a form or fetches across sites                   → Origin, Sec-Fetch-Site: 403
 *   a program that wants to change something                           → needs the token: 401
 *   anybody who reads from another machine                             → needs the token: 401
 *   one who guesses                                                    → 429 for a minute
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { EXIT } from "../../config/config.js";
import { AdminError } from "../errors.js";
import { Lockout } from "./lockout.js";

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
  readonly lockout: Lockout;
}

/** Characters of a given one, bytes of one that is made here. */
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
    const message = `admin host ${host}: other machines could reach the admin server there and it has no token: take 127.0.0.1, or give a token in DROVER_ADMIN_TOKEN or --admin-token-file`;
    throw new AdminError("exposed", message, EXIT.badConfig);
  }
  const digest = token === undefined ? undefined : digestOf(token);
  return { kind: "tcp", host, digest, lockout: new Lockout() };
}

/** For a server that only this machine can reach and that was given no token; its owner reads it over the control socket. */
export function localToken(host: string): string | undefined {
  return isLoopback(host) ? randomBytes(LEAST_TOKEN).toString("base64url") : undefined;
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
    if (door.kind === "control") return next();
    if (isCrossSite(c)) return c.json({ error: "requests from other web sites change nothing here" }, 403);
    if (door.digest === undefined) {
      return c.json({ error: "no token is configured: changes are made over the control socket" }, 403);
    }
    return refuseStranger(c, door, door.digest) ?? next();
  };
}

/** Refuses to tell other machines what is not `open` to all; on loopback whoever is on this machine may read. */
export function checkReading(door: Door, open: boolean): MiddlewareHandler<Env> {
  const digest = open || door.kind === "control" || isLoopback(door.host) ? undefined : door.digest;
  return async (c, next) => {
    if (digest === undefined) return next();
    return refuseStranger(c, door as TcpDoor, digest) ?? next();
  };
}

/** `undefined`: the token is there and right. */
function refuseStranger(c: Context<Env>, { lockout }: TcpDoor, digest: Buffer): Response | undefined {
  const address = c.env.incoming.socket.remoteAddress ?? "";
  const seconds = lockout.remaining(address);
  if (seconds > 0) {
    const error = `too many wrong tokens: this address may try again in ${seconds} s`;
    return c.json({ error }, 429, { "retry-after": String(seconds) });
  }
  const token = /^Bearer +(\S+) *$/i.exec(c.env.incoming.headers.authorization ?? "")?.[1] ?? "";
  // Digests are all of one length: the time of the comparison tells nothing, not even how long the token is.
  if (timingSafeEqual(digestOf(token), digest)) return undefined;
  if (token !== "") lockout.wrong(address);
  return c.json({ error: "this needs the token" }, 401, { "www-authenticate": "Bearer" });
}

function isCrossSite(c: Context<Env>): boolean {
  const { origin, host, "sec-fetch-site": site } = c.env.incoming.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
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

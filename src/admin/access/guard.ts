/**
 * Access control of the admin server. Only its owner can connect to the control socket, so requests there come
 * from the operator. Requests over the TCP port come from any program of this machine and, through its
 * browsers, from any web site:
 *
 *   a page at evil.example that resolves to 127.0.0.1 (DNS rebinding)  → unknown Host: 403
 *   a page that posts a form or fetches across sites                   → Origin, Sec-Fetch-Site: 403
 *   a program that changes something                                   → token required: 401
 *   reading from another machine                                       → token required: 401
 *   guessing the token                                                 → 429 for a minute, but not with the right one
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { EXIT } from "../../config/config.js";
import { MIN_TOKEN_LENGTH } from "../../config/limits.js";
import type { AskedOver } from "../../control/control.js";
import { AdminError } from "../errors.js";
import { Lockout } from "./lockout.js";

/** Type of a request in handlers of hono. */
export type Env = {
  Bindings: HttpBindings;
  /** Of a change: for its audit line. */
  Variables: {
    /** Set once the access rules have permitted it. */
    permitted?: boolean;
    /** The way on which the change was asked for. */
    over?: AskedOver;
    /** Members of the body. */
    body?: Readonly<Record<string, unknown>>;
    /** Writes the audit line now, as done, where it would be lost later. */
    tell?: () => Promise<void>;
  };
};

/** Access rules of the listener that a request came in on: the control socket or the TCP port. */
export type Access = { readonly kind: "control" } | TcpAccess;

export interface TcpAccess {
  readonly kind: "tcp";
  /** Address that the port is bound to. */
  readonly host: string;
  /** SHA-256 of the token, if there is one. */
  readonly digest: Buffer | undefined;
  readonly lockout: Lockout;
}

/** Random bytes of a generated token. */
const TOKEN_BYTES = 32;

/** @throws AdminError (78) when other machines could reach the port without a token, or the token can be guessed */
export function tcpAccess(host: string, token: string | undefined): TcpAccess {
  if (token !== undefined && token.length < MIN_TOKEN_LENGTH) {
    const advice = `give at least ${MIN_TOKEN_LENGTH} characters, such as \`openssl rand -hex 32\` prints`;
    throw new AdminError(
      "bad_token",
      `the token of the admin server is too short: ${advice}`,
      EXIT.badConfig,
    );
  }
  if (token === undefined && !isLoopback(host)) {
    const message = `admin host ${host}: other machines can reach the admin server and it has no token: use --admin-host 127.0.0.1, or give a token in DROVER_ADMIN_TOKEN or --admin-token-file`;
    throw new AdminError("exposed", message, EXIT.badConfig);
  }
  const digest = token === undefined ? undefined : digestOf(token);
  return { kind: "tcp", host, digest, lockout: new Lockout() };
}

/** A random token for a loopback address, when none was given; the operator reads it over the control socket. */
export function localToken(host: string): string | undefined {
  return isLoopback(host) ? randomBytes(TOKEN_BYTES).toString("base64url") : undefined;
}

/** Refuses unknown Host names (DNS rebinding). On other addresses than loopback every name is accepted. */
export function checkHost(access: Access): MiddlewareHandler<Env> {
  const names = access.kind === "tcp" && isLoopback(access.host) ? ownNames(access.host) : undefined;
  return async (c, next) => {
    const host = c.env.incoming.headers.host;
    // Health checks of HTTP/1.0 send no Host; browsers always do.
    if (names === undefined || host === undefined || names.has(withoutPort(host))) return next();
    return c.json({ error: "unknown Host: ask for localhost or 127.0.0.1" }, 403);
  };
}

/** Refuses changes without the token, and changes from other web sites. */
export function checkChange(access: Access): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (access.kind === "control") return next();
    if (isCrossSite(c))
      return c.json(
        { error: "cross-site request: changes are accepted from this server's own page only" },
        403,
      );
    if (access.digest === undefined) {
      return c.json({ error: "no token is configured: make changes over the control socket" }, 403);
    }
    return requireToken(c, access, access.digest) ?? next();
  };
}

/** Refuses reading from other machines without the token, unless the route is `open`; on loopback reading is free. */
export function checkReading(access: Access, open: boolean): MiddlewareHandler<Env> {
  const digest = open || access.kind === "control" || isLoopback(access.host) ? undefined : access.digest;
  return async (c, next) => {
    if (digest === undefined) return next();
    return requireToken(c, access as TcpAccess, digest) ?? next();
  };
}

/** @returns the refusal; `undefined`: the token is right */
function requireToken(c: Context<Env>, { lockout }: TcpAccess, digest: Buffer): Response | undefined {
  const token = /^Bearer +(\S+) *$/i.exec(c.env.incoming.headers.authorization ?? "")?.[1] ?? "";
  // Before the lockout: it holds for an address, so any local user could lock the operator out with wrong tokens.
  // Digests have one length: the time of the comparison does not reveal the length of the token.
  if (timingSafeEqual(digestOf(token), digest)) return undefined;
  const address = c.env.incoming.socket.remoteAddress ?? "";
  const seconds = lockout.remaining(address);
  if (seconds > 0) {
    const error = `too many wrong tokens from this address: try again in ${seconds} s`;
    return c.json({ error }, 429, { "retry-after": String(seconds) });
  }
  if (token !== "") lockout.wrong(address);
  return c.json({ error: "token required: send Authorization: Bearer TOKEN" }, 401, {
    "www-authenticate": "Bearer",
  });
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

/** Of names only localhost: what any other resolves to may change. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}

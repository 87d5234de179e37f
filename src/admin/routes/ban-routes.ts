/** Routes for banned addresses. */
import { isIP } from "node:net";
import type { Context } from "hono";
import { MAX_TIMER_MS } from "../../config/limits.js";
import type { Control } from "../../control/control.js";
import { addressGroup } from "../../text/address-group.js";
import type { Env } from "../access/guard.js";
import type { Body, Route } from "./route.js";

/** Default time of a ban, in milliseconds. */
const HOUR = 3_600_000;

export const BAN_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/bans",
    sentence: "Addresses whose new connections are refused, with the milliseconds that are left.",
    answer: (c, control) => c.json(control.bans()),
  },
  {
    method: "POST",
    path: "/ban",
    keys: ["address", "ms"],
    sentence:
      'Refuse new connections of an address, of IPv6 its /64: {"address": "192.0.2.7", "ms": 600000}. Default: an hour.',
    answer: ban,
  },
  {
    method: "POST",
    path: "/unban",
    keys: ["address"],
    sentence: 'Lift a ban: {"address": "192.0.2.7"}.',
    answer: unban,
  },
];

function ban(c: Context<Env>, control: Control, { address, ms = HOUR }: Body): Response {
  const group = groupOf(address);
  if (group === undefined) return c.json(BAD_ADDRESS, 400);
  if (!Number.isInteger(ms) || (ms as number) < 1 || (ms as number) > MAX_TIMER_MS)
    return c.json({ error: `ms must be whole milliseconds from 1 to ${MAX_TIMER_MS}` }, 400);
  control.ban(group, ms as number);
  return c.json({ address: group, ms });
}

function unban(c: Context<Env>, control: Control, { address }: Body): Response {
  const group = groupOf(address);
  if (group === undefined) return c.json(BAD_ADDRESS, 400);
  control.unban(group);
  return c.json({ address: group });
}

const BAD_ADDRESS = { error: "address must be an IP address such as 192.0.2.7, or a /64 of IPv6" };

/** Of an address, or of a /64 as it is listed. */
function groupOf(address: unknown): string | undefined {
  if (typeof address !== "string" || address.length > 64) return undefined;
  const plain = address.replace(/\/64$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  const version = isIP(plain);
  if (version === 0 || (version === 4 && address.includes("/"))) return undefined;
  return addressGroup(plain);
}

/** Body of a POST: a JSON object with known members, of bounded size. Anything else is refused. */
import type { Context } from "hono";
import { didYouMean } from "../../config/config.js";
import type { Env } from "../access/guard.js";
import type { Body } from "../routes/route.js";

/** Without the message that a route may take besides. */
const MAX_BYTES = 64 * 1024;
/** JSON writes a byte of a text as up to six: `\u0000`. */
const JSON_PER_BYTE = 6;

/**
 * @param message bytes of the largest message that the body may have
 * @returns the members, or the refusal
 */
export async function readBody(
  c: Context<Env>,
  keys: readonly string[],
  message = 0,
): Promise<Body | Response> {
  const maxBytes = MAX_BYTES + JSON_PER_BYTE * message;
  // A form of any web page can post text/plain; application/json needs a CORS preflight, which is never granted.
  if (!/^application\/json\s*(;|$)/i.test(c.req.header("content-type") ?? "")) {
    return c.json({ error: "the content-type of a POST must be application/json" }, 415);
  }
  const text = await readText(c, maxBytes).catch(() => null);
  // The client has aborted the request.
  if (text === null) return c.json({ error: "the body ended too early" }, 400);
  if (text === undefined) {
    return c.json({ error: `the body is larger than ${maxBytes} bytes` }, 413, { connection: "close" });
  }
  const value = parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return c.json({ error: "the body must be a JSON object" }, 400);
  }
  // JSON.parse makes `__proto__` an ordinary member, so it is refused here like any other unknown one.
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, 80));
    const help = didYouMean(unknown, keys) || known(keys);
    return c.json({ error: `unknown member ${shown}${help}` }, 400);
  }
  return value as Body;
}

const known = (keys: readonly string[]) =>
  keys.length === 0 ? ": the body takes none" : `: the members are ${keys.join(", ")}`;

/** `undefined`: too large. A body that is declared too large is not read. */
async function readText(c: Context<Env>, maxBytes: number): Promise<string | undefined> {
  if (Number(c.req.header("content-length") ?? 0) > maxBytes) return undefined;
  const reader = c.req.raw.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    size += part.value.length;
    if (size > maxBytes) return undefined;
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString();
}

/** An empty body is an empty object; `undefined`: not JSON. */
function parse(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Audit of the routes that change the running program: who asked for what, and what became of it. */
import { userInfo } from "node:os";
import type { Context, MiddlewareHandler } from "hono";
import { clock } from "../../otp/time/clock.js";
import { addressText } from "../../text/address.js";
import type { Access, Env } from "../access/guard.js";
import type { AdminChange } from "../events.js";
import type { Route } from "../routes/route.js";
import type { RouteContext } from "../routes/route-context.js";

/** Characters of `User-Agent` that are kept. */
const MAX_CLIENT = 120;

/** First handler of a route that changes something. */
export function audit(route: Route, context: RouteContext): MiddlewareHandler<Env> {
  const action = route.path.split("/")[1] as string;
  return async (c, next) => {
    const began = clock.now();
    let told = false;
    const tell = async (): Promise<void> => {
      if (told) return;
      told = true;
      const durationMs = Math.round(clock.now() - began);
      context.onChange({ action, ...asked(c, context.access), ...(await outcome(c)), durationMs });
    };
    c.set("tell", tell);
    c.set("over", context.access.kind === "control" ? "control socket" : "admin port");
    await next();
    await tell();
  };
}

function asked(c: Context<Env>, access: Access) {
  const { "user-agent": agent } = c.env.incoming.headers;
  const { body: _message, ...body } = c.get("body") ?? {};
  const how =
    access.kind === "control"
      ? ({ via: "control_socket", by: socketUser() } as const)
      : ({
          via: "admin_port",
          by: c.get("permitted") ? "admin token" : "no valid token",
          address: clientAddress(c),
        } as const);
  return {
    ...how,
    ...(agent !== undefined && { client: agent.slice(0, MAX_CLIENT) }),
    request: { ...(c.req.param() as Record<string, string>), ...body },
  };
}

/** Which caller asks, in a few words. */
export function askedBy(c: Context<Env>, access: Access): string {
  const { via, by, ...from } = asked(c, access);
  // The command names the user, and who has become this one by sudo.
  if (via === "control_socket") return from.client?.replace(/, os pid \d+/, "") ?? by;
  return `${by} from ${"address" in from ? from.address : "unknown"}`;
}

function clientAddress({ env: { incoming } }: Context<Env>): string {
  const { remoteAddress = "", remotePort = 0 } = incoming.socket;
  return addressText(remoteAddress, remotePort);
}

/**
 * Node does not read SO_PEERCRED. The socket has mode 0600, so the kernel lets in its owner, who is the user of this
 * program, and root: which of the two it was cannot be told.
 */
function socketUser(): string {
  const uid = process.geteuid?.();
  if (uid === undefined) return userInfo().username;
  return uid === 0 ? "uid 0" : `uid ${uid} or root`;
}

async function outcome(c: Context<Env>): Promise<Pick<AdminChange, "result" | "status" | "error">> {
  const { status } = c.res;
  if (status < 400) return { result: "ok", status };
  const error = c.error?.message ?? (await errorOf(c.res));
  return { result: status === 500 ? "failed" : "refused", status, ...(error !== undefined && { error }) };
}

/** The text of a refusal that a route has answered. */
async function errorOf(response: Response): Promise<string | undefined> {
  const answer: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const { error } = (answer ?? {}) as { readonly error?: unknown };
  return typeof error === "string" ? error : undefined;
}

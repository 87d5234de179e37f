/** `drover page`: the address of the observer page, with what it needs to change something. */

import { get } from "../client/client.js";
import type { Asked } from "../command.js";
import { printableJson } from "../terminal/printable.js";

export async function page({ target, json }: Asked): Promise<string> {
  const { admin } = (await get(target, "/info")) as { admin: string };
  const { token } = (await get(target, "/token")) as { token: string };
  // Behind the #, a browser keeps it for itself: it is in no request, and so in no log of a proxy.
  const url = `http://${reachable(admin)}/#token=${encodeURIComponent(token)}`;
  return json ? `${printableJson({ url })}\n` : `${url}\n`;
}

/** Every address of this machine is none that could be typed. */
function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
}

/** `drover page`: URL of the observer page, with the token that changes need. */
import type { ProgramInfo } from "../../../control/program.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";

export async function page({ target, json }: Invocation): Promise<string> {
  const { admin } = (await get(target, "/info")) as ProgramInfo;
  const { token } = (await get(target, "/token")) as { token: string };
  // A browser sends no fragment: the token is in no request, and in no log of a proxy.
  const url = `http://${reachable(admin)}/#token=${encodeURIComponent(token)}`;
  return json ? jsonText({ url }) : `${url}\n`;
}

/** A wildcard address cannot be opened: loopback instead. */
function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
}

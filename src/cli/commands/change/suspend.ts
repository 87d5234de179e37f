/** `drover suspend` and `drover resume`: whether listeners accept. */
import type { ListenerState } from "../../../control/program.js";
import { post } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

export function suspend(invocation: Invocation): Promise<string> {
  return setAccepting("/suspend", invocation);
}

export function resume(invocation: Invocation): Promise<string> {
  return setAccepting("/resume", invocation);
}

async function setAccepting(path: string, invocation: Invocation): Promise<string> {
  const { target, positionals, json } = invocation;
  const [listener] = positionals;
  const states = (await post(target, path, listener === undefined ? {} : { listener })) as ListenerState[];
  if (json) return jsonText(states);
  return table(states.map(({ worker, listener, state }) => [`worker ${worker}`, listener, state]));
}

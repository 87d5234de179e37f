/** `drover ban`, `unban` and `bans`: client addresses whose new connections are refused. */
import { durationOf, EXIT } from "../../../config/config.js";
import type { AddressBan } from "../../../control/program.js";
import { durationText } from "../../../text/duration.js";
import { get, post } from "../../client/client.js";
import type { CommandFlag, Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

export const BAN_FLAGS: readonly CommandFlag[] = [
  { name: "for", placeholder: "DURATION", sentence: "Time of the ban. Default: 1h." },
];

export async function ban({ target, positionals, values, json }: Invocation): Promise<string> {
  const [address] = positionals;
  const given = values.get("for");
  const ms = given === undefined ? undefined : durationOf(given);
  if (given !== undefined && !ms)
    throw new CommandError(
      `--for: expected a duration over 0 such as 10m, got ${JSON.stringify(given)}`,
      EXIT.usage,
    );
  const banned = (await post(target, "/ban", { address, ...(ms && { ms }) })) as AddressBan;
  return json ? jsonText(banned) : `${banned.address} banned for ${durationText(banned.ms)}\n`;
}

export async function unban({ target, positionals, json }: Invocation): Promise<string> {
  const [address] = positionals;
  const lifted = (await post(target, "/unban", { address })) as { readonly address: string };
  return json ? jsonText(lifted) : `${lifted.address} is no longer banned\n`;
}

export async function bans({ target, json }: Invocation): Promise<string> {
  const list = (await get(target, "/bans")) as AddressBan[];
  if (json) return jsonText(list);
  if (list.length === 0) return "no address is banned\n";
  return table([["ADDRESS", "LEFT"], ...list.map(({ address, ms }) => [address, durationText(ms)])]);
}

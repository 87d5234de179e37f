/** `drover config`: effective value and origin of every option of the running server. */
import type { Explanation } from "../../../config/config.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

/** Terminal width from which all columns fit. */
const WIDE = 130;

export async function config({ target, json, verbose, columns = 0 }: Invocation): Promise<string> {
  const rows = (await get(target, "/config")) as Explanation[];
  if (json) return jsonText(rows);
  const wide = verbose || columns >= WIDE;
  const cells = rows.map(({ key, text, origin, flag, env }) => {
    return wide ? [key, text, origin, flag, env] : [key, text, origin];
  });
  const titles = ["option", "value", "from", "flag", "environment"];
  return table([titles.slice(0, wide ? 5 : 3), ...cells]);
}

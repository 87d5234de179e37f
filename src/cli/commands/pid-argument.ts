/** A pid on the command line: `1.17` or `<1.17>`. */
import { EXIT } from "../../config/config.js";
import { CommandError } from "../errors.js";

/** The same form as the server's, so that a typing mistake is reported even when no server runs. */
export function pidArgument(text: string): string {
  const match = /^<?((?:0|[1-9]\d{0,5})\.[1-9]\d{0,14})>?$/.exec(text.trim());
  if (match === null)
    throw new CommandError(`not a pid: ${JSON.stringify(text)}: a pid looks like '<1.17>'`, EXIT.usage);
  return `<${match[1]}>`;
}

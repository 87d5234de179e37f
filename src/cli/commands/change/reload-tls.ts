/** `drover reload-tls`: has the server read certificates and keys again. */
import type { CertificateReload } from "../../../control/program.js";
import { post } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { jsonText } from "../../terminal/json.js";
import { table } from "../../terminal/table.js";

/** Response timeout: a certificate and a key that do not fit are tried again for 10 s, after a reload under way. */
const TIMEOUT = 30_000;

/** @throws CommandError when a listener keeps its old certificates */
export async function reloadTls({ target, json }: Invocation): Promise<string> {
  const timeout = target.timeout ?? TIMEOUT;
  const reloads = (await post({ ...target, timeout }, "/reload-tls", {})) as CertificateReload[];
  const refused = reloads.filter(({ result }) => result === "refused");
  if (refused.length > 0)
    throw new CommandError(
      refused
        .map(({ listener, reason }) => `listener ${listener} keeps its old certificates: ${reason}`)
        .join("; "),
    );
  if (json) return jsonText(reloads);
  if (reloads.length === 0) return "no listener has TLS\n";
  return table(
    reloads.flatMap(({ listener, result, warnings }) => [
      [listener, result],
      ...warnings.map((text) => ["", `warning: ${text}`]),
    ]),
  );
}

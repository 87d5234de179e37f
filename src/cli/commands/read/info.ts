/** `drover info`: the program, or one of its processes. */
import type { ListenerInfo, ProgramInfo } from "../../../control/program.js";
import { durationText } from "../../../text/duration.js";
import { plural } from "../../../text/plural.js";
import { get } from "../../client/client.js";
import type { Invocation } from "../../command.js";
import { jsonText } from "../../terminal/json.js";
import { fieldTable, fieldText, table } from "../../terminal/table.js";
import { pidArgument } from "../pid-argument.js";

export async function info({ target, positionals: [text], json }: Invocation): Promise<string> {
  const path = text === undefined ? "/info" : `/info/${encodeURIComponent(pidArgument(text))}`;
  const found = (await get(target, path)) as object;
  if (json) return jsonText(found);
  return text === undefined ? renderInfo(found as ProgramInfo) : fieldTable(found);
}

/** More are in the JSON. */
const MAX_CERTIFICATES = 10;

/** The certificates that end first. */
function certificateRows(all: ProgramInfo["certificates"]): string[][] {
  const shown = [...all].sort((a, b) => a.secondsLeft - b.secondsLeft).slice(0, MAX_CERTIFICATES);
  const rows = shown.map(({ listener, name, secondsLeft }) => [
    "certificate",
    `${name}, listener ${listener}, ${expiryText(secondsLeft)}`,
  ]);
  const more = all.length - shown.length;
  return more === 0 ? rows : [...rows, ["", `${more} more, which end later`]];
}

const DAY = 86_400;

/** In days: hours and minutes of a certificate are of no use. */
function expiryText(secondsLeft: number): string {
  if (secondsLeft < 0) return "expired";
  return `ends in ${plural(Math.floor(secondsLeft / DAY), "day")}`;
}

/** Of the only listener its facts, of several a line each. */
function listenerRows({ protocol, address, listeners }: ProgramInfo): string[][] {
  const [only] = listeners;
  if (only !== undefined && listeners.length === 1)
    return [
      ["protocol", protocol],
      ["address", [address, ...securityWords(only)].join(", ")],
    ];
  return listeners.map((one) => {
    const words = [`${one.protocol} on ${one.address}`, one.transport, ...securityWords(one)];
    if (one.maxConnections !== null) words.push(`at most ${plural(one.maxConnections, "connection")}`);
    if (one.suspended) words.push("suspended");
    return [`listener ${one.listener}`, words.join(", ")];
  });
}

function securityWords({ tls, proxy }: ListenerInfo): string[] {
  return [...(tls ? ["TLS"] : []), ...(proxy ? ["PROXY protocol"] : [])];
}

function renderInfo(info: ProgramInfo): string {
  const { active, accepted, closed } = info.connections;
  return table([
    ["name", info.name],
    ["version", info.version],
    ["Node.js", info.node],
    ["os pid", fieldText(info.osPid)],
    ["up", durationText(info.uptimeSeconds * 1000)],
    ...listenerRows(info),
    ["admin", info.admin],
    ...(info.listeners.length > 1 ? [] : [["transport", info.transport]]),
    ["connections", `${active} active, ${accepted} accepted, ${closed} closed`],
    ["restarts left", fieldText(info.restartsLeft)],
    ...certificateRows(info.certificates),
    ...info.workers.map(({ worker, osPid, state, restarts }) => {
      return [
        `worker ${worker}`,
        `os ${osPid}, ${state}, ${restarts === 0 ? "never" : `${restarts}×`} restarted`,
      ];
    }),
  ]);
}

/** What `drover info` shows of the program. */
import type { ProgramInfo } from "../../control/program.js";
import { elapsed, shown, table } from "../terminal/table.js";

export function renderInfo(info: ProgramInfo): string {
  const { active, accepted, closed } = info.connections;
  return table([
    ["name", info.name],
    ["version", info.version],
    ["node", info.node],
    ["os pid", shown(info.osPid)],
    ["up", elapsed(info.uptimeSeconds)],
    ["protocol", info.protocol],
    ["address", info.address],
    ["admin", info.admin],
    ["transport", info.transport],
    ["connections", `${active} active, ${accepted} accepted, ${closed} closed`],
    ["restarts left", shown(info.restartsLeft)],
    ...info.workers.map(({ worker, osPid, state, restarts }) => {
      return [
        `worker ${worker}`,
        `os ${osPid}, ${state}, ${restarts === 0 ? "never" : `${restarts}×`} restarted`,
      ];
    }),
  ]);
}

/** What `drover info` shows of the program. */
import { elapsed, shown, table } from "../terminal/table.js";

/** `/info`, as far as it is shown here. */
export interface ProgramInfo {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly osPid: number;
  readonly uptimeSeconds: number;
  readonly protocol: string;
  readonly address: string;
  readonly admin: string;
  readonly transport: string;
  readonly workers: readonly {
    readonly worker: number;
    readonly osPid: number;
    readonly state: string;
    readonly restarts: number;
  }[];
  readonly connections: { readonly active: number; readonly accepted: number; readonly closed: number };
  readonly restartsLeft: number;
}

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

/** Which OS process listens on a port: for the error of a port that is taken. From `/proc`; what belongs to other users is not seen. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type OsProcessInfo, osPids, osProcessInfo } from "../cluster/os-process-info.js";
import { escapeControls } from "../text/escape.js";

const LISTEN = "0A";
const MAX_COMMAND = 80;

/** ` (OS process 4121: node dist/main.js)`; empty when it is not known. */
export function portHolderText(port: number): string {
  const holder = portHolder(port);
  if (!holder) return "";
  const { osPid, args, parent, state } = holder;
  const stopped = state === "T";
  const orphaned = args.at(-2) === "worker" && args.at(-1) !== `${parent}`;
  if (orphaned)
    return ` (OS process ${osPid}, a${stopped ? " stopped" : ""} worker of a drover that is gone: end it with kill -KILL ${osPid})`;
  const command = escapeControls(args.join(" ")).slice(0, MAX_COMMAND);
  return ` (OS process ${osPid}${stopped ? ", stopped" : ""}: ${command})`;
}

function portHolder(port: number): OsProcessInfo | undefined {
  const sockets = listeningSockets(port);
  if (sockets.size === 0) return undefined;
  const holders = osPids().filter((osPid) => holdsOne(osPid, sockets));
  // The parent: a primary and its workers hold the same socket.
  const first = holders.find((osPid) => !holders.includes(osProcessInfo(osPid)?.parent ?? 0));
  return first === undefined ? undefined : osProcessInfo(first);
}

/** Links that `/proc/PID/fd` shows for the sockets that listen on this port. */
function listeningSockets(port: number): Set<string> {
  const found = new Set<string>();
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["tcp", "tcp6"]) {
    for (const line of linesOf(`/proc/net/${table}`)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTEN && local?.endsWith(`:${hex}`)) found.add(`socket:[${inode}]`);
    }
  }
  return found;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

function holdsOne(osPid: number, sockets: ReadonlySet<string>): boolean {
  try {
    const dir = `/proc/${osPid}/fd`;
    return readdirSync(dir).some((fd) => sockets.has(linkOf(`${dir}/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

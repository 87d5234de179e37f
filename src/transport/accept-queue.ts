/**
 * Accept queues of listening TCP sockets: connections that the kernel has established and no worker has accepted yet.
 * Linux lists listening sockets first in `/proc/net/tcp`, so the cost does not grow with the number of connections.
 */
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";

/** State of a listening socket in `/proc/net/tcp`. */
const LISTEN = "0A";
const CHUNK = 4096;

/** @returns connections that wait, by inode of the listening socket; empty where there is no `/proc/net` */
export function readAcceptQueues(): ReadonlyMap<number, number> {
  const queues = new Map<number, number>();
  for (const path of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of listeningLines(path)) {
      const [, , , , waiting = "", , , , , inode] = line.trim().split(/\s+/);
      queues.set(Number(inode), Number.parseInt(waiting.split(":")[1] ?? "", 16));
    }
  }
  return queues;
}

/** Lines of listening sockets, read until the first socket that is not one. */
function listeningLines(path: string): string[] {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return [];
  }
  try {
    let text = "";
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      text += chunk.toString("latin1", 0, length);
      const complete = text.slice(0, text.lastIndexOf("\n")).split("\n").slice(1);
      if (complete.some((line) => stateOf(line) !== LISTEN))
        return complete.filter((line) => stateOf(line) === LISTEN);
    }
    return text.split("\n").filter((line) => stateOf(line) === LISTEN);
  } finally {
    closeSync(file);
  }
}

function stateOf(line: string): string | undefined {
  return line.trim().split(/\s+/, 4)[3];
}

/** Inode of a socket of this OS process; `undefined` without `/proc`. */
export function socketInode(fd: number): number | undefined {
  try {
    return Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Connections that the kernel has dropped because an accept queue was full: of all programs in this network namespace,
 * since its start. `undefined` where the platform does not count them.
 */
export function readAcceptOverflows(): number | undefined {
  let text: string;
  try {
    text = readFileSync("/proc/net/netstat", "latin1");
  } catch {
    return undefined;
  }
  const [names, values] = text.split("\n").filter((line) => line.startsWith("TcpExt:"));
  const at = names?.split(" ").indexOf("ListenOverflows") ?? -1;
  return at < 0 ? undefined : Number(values?.split(" ")[at]);
}

/** OS processes, read from /proc: children and liveness. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** OS pids of the children, the oldest first. OS pids themselves are no order: the kernel starts again at 300 after 32,767. */
export function childrenOf(osPid: number): number[] {
  const found: { child: number; startedAt: number }[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[1]) === osPid) found.push({ child: Number(name), startedAt: Number(fields[19]) });
    } catch {}
  }
  return found.sort((a, b) => a.startedAt - b.startedAt || a.child - b.child).map(({ child }) => child);
}

export function isAlive(osPid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${osPid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Whether the OS process is stopped (SIGSTOP). */
export function isStopped(osPid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${osPid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Whether the OS process has installed a handler for this signal number. */
export function handlesSignal(osPid: number, signal: number): boolean {
  try {
    const [, mask] = /^SigCgt:\s+([0-9a-f]+)/m.exec(readFileSync(`/proc/${osPid}/status`, "utf8")) ?? [];
    return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** OS pid of the exchange of this primary. A process that is read while it ends is none. */
export function exchangeOf(primary: number): number | undefined {
  return childrenOf(primary).find((osPid) => {
    try {
      return readFileSync(`/proc/${osPid}/cmdline`, "utf8").includes("\0exchange\0");
    } catch {
      return false;
    }
  });
}

/** Inodes of the sockets that the OS process has open, by /proc. One that is closed meanwhile is none. */
export function socketsOf(osPid: number): Set<string> {
  const found = readdirSync(`/proc/${osPid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${osPid}/fd/${fd}`))?.[1];
    } catch {
      return undefined;
    }
  });
  return new Set(found.flatMap((inode) => inode ?? []));
}

/** Whether the OS process listens on this TCP port; whether another one does plays no part. */
export function listensOn(osPid: number, port: number): boolean {
  const mine = socketsOf(osPid);
  const rows = ["tcp", "tcp6"].flatMap((kind) => readFileSync(`/proc/net/${kind}`, "utf8").split("\n"));
  return rows
    .map((row) => row.trim().split(/\s+/))
    .some(([, local = "", , state, , , , , , inode = ""]) => {
      return state === "0A" && Number.parseInt(local.split(":")[1] ?? "", 16) === port && mine.has(inode);
    });
}

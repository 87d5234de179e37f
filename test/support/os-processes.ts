/** OS processes, read from /proc: children and liveness. */
import { readdirSync, readFileSync } from "node:fs";

/** OS pids of the children, ascending. */
export function childrenOf(osPid: number): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === osPid) found.push(Number(name));
    } catch {}
  }
  return found.sort((a, b) => a - b);
}

export function isAlive(osPid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${osPid}/status`, "utf8"));
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

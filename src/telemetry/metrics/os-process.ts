/** What an OS process knows of itself, in numbers: the same of the primary and of every worker. */
import { readdirSync, readFileSync, statSync } from "node:fs";

/** Seconds and bytes; those of CPU time only grow. */
export interface OwnNumbers {
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly startTimeSeconds: number;
  readonly openFds: number;
  readonly maxFds: number;
}

const DESCRIPTORS = "/proc/self/fd";

export class OsProcess {
  /** For kernels that do not tell: counting them again and again costs more with every client. */
  readonly #baseFds = countDescriptors();
  #memory = process.memoryUsage();

  /** @param connections descriptors that have come since this was made, for kernels before 6.2 */
  take(connections = 0): OwnNumbers {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, heapTotal, external } = this.#memoryUsage();
    const openFds = toldDescriptors() || this.#baseFds + connections;
    return {
      cpuUserSeconds: user / 1e6,
      cpuSystemSeconds: system / 1e6,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      startTimeSeconds: performance.timeOrigin / 1000,
      openFds,
      maxFds: limitNow(openFds),
    };
  }

  /** What is resident is read from a file: with no descriptor left, it is what it was. */
  #memoryUsage(): NodeJS.MemoryUsage {
    try {
      this.#memory = process.memoryUsage();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
    }
    return this.#memory;
  }
}

/** What the kernel says, since Linux 6.2, at the same cost with any number of connections; 0 elsewhere. */
function toldDescriptors(): number {
  return statSync(DESCRIPTORS, { throwIfNoEntry: false })?.size ?? 0;
}

function countDescriptors(): number {
  try {
    return readdirSync(DESCRIPTORS).length;
  } catch {
    return 0;
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return code === "EMFILE" || code === "ENFILE";
}

/** The hard limit of descriptors of this OS process: node raises the soft one to it. 0 where it is not known. */
export function maxDescriptors(): number {
  try {
    return readLimits().hard;
  } catch {
    return 0;
  }
}

/** The soft limit at this moment, which others can change. To read it takes a descriptor: without one, what is open is all. */
function limitNow(openFds: number): number {
  try {
    return readLimits().soft;
  } catch (error) {
    return isOutOfDescriptors(error) ? openFds : 0;
  }
}

function readLimits(): { readonly soft: number; readonly hard: number } {
  const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  const [soft, hard] = [line?.[1], line?.[2]].map((limit) =>
    limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit ?? 0),
  );
  return { soft: soft as number, hard: hard as number };
}

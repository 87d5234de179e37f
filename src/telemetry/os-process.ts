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
  readonly #maxFds = maxDescriptors();
  /** For kernels that do not tell: counting them again and again costs more with every client. */
  readonly #baseFds = countDescriptors();
  #memory = process.memoryUsage();

  /** @param connections descriptors that have come since this was made, for kernels before 6.2 */
  take(connections = 0): OwnNumbers {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, heapTotal, external } = this.#memoryUsage();
    return {
      cpuUserSeconds: user / 1e6,
      cpuSystemSeconds: system / 1e6,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      startTimeSeconds: performance.timeOrigin / 1000,
      openFds: toldDescriptors() || this.#baseFds + connections,
      maxFds: this.#maxFds,
    };
  }

  /** What is resident is read from a file: with no descriptor left, it is what it was. */
  #memoryUsage(): NodeJS.MemoryUsage {
    try {
      this.#memory = process.memoryUsage();
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code !== "EMFILE" && code !== "ENFILE") throw error;
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

/** The hard limit of descriptors of this OS process: node raises the soft one to it. 0 where it is not known. */
export function maxDescriptors(): number {
  try {
    const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === "unlimited" ? Infinity : Number(limit ?? 0);
  } catch {
    return 0;
  }
}

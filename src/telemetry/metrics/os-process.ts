/** Resource usage of this OS process (CPU, memory, file descriptors), for the primary and every worker. */
import { openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";

/** In seconds and bytes; CPU times are totals. */
export interface OsProcessNumbers {
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
  /** Open descriptors at creation, for kernels before 6.2: counting them each second costs more with every client. */
  readonly #baseFds = countDescriptors();
  #memory = process.memoryUsage();

  /** @param connections descriptors opened since creation, for kernels before 6.2 */
  take(connections = 0): OsProcessNumbers {
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
      ...this.descriptors(connections),
    };
  }

  /** @param connections as for `take` */
  descriptors(connections: number): Pick<OsProcessNumbers, "openFds" | "maxFds"> {
    const openFds = reportedDescriptors() || this.#baseFds + connections;
    return { openFds, maxFds: softLimit(openFds) };
  }

  /** Reading the resident size opens a file: without a free descriptor the last value is returned. */
  #memoryUsage(): NodeJS.MemoryUsage {
    try {
      this.#memory = process.memoryUsage();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
    }
    return this.#memory;
  }
}

/** Size of /proc/self/fd: since Linux 6.2 the number of open descriptors, in constant time; 0 elsewhere. */
function reportedDescriptors(): number {
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

/** Hard limit of file descriptors (Node raises the soft limit to it); 0 where it is unknown. */
export function maxDescriptors(): number {
  try {
    return readLimits().hard;
  } catch {
    return 0;
  }
}

/**
 * Current soft limit, which `prlimit` can change. The file stays open: it is read behind every 24th client, and opening
 * it again took twice the time, and a descriptor. Without a free one for the first reading the limit is `openFds`.
 */
function softLimit(openFds: number): number {
  try {
    limitsFile ??= openSync(LIMITS, "r");
    const length = readSync(limitsFile, limitsText, 0, limitsText.length, 0);
    return parseLimits(limitsText.toString("latin1", 0, length)).soft;
  } catch (error) {
    return isOutOfDescriptors(error) ? openFds : 0;
  }
}

const LIMITS = "/proc/self/limits";
let limitsFile: number | undefined;
const limitsText = Buffer.alloc(4096);

function readLimits(): Limits {
  return parseLimits(readFileSync(LIMITS, "utf8"));
}

interface Limits {
  readonly soft: number;
  readonly hard: number;
}

function parseLimits(text: string): Limits {
  const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text);
  const [soft, hard] = [line?.[1], line?.[2]].map((limit) =>
    limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit ?? 0),
  );
  return { soft: soft as number, hard: hard as number };
}

/** What the machine must have before anything is started: `/proc`, descriptors, and room for threads. */
import { existsSync, readFileSync } from "node:fs";
import { osPids } from "../cluster/os-process-info.js";
import { maxDescriptors } from "../telemetry/metrics/os-process.js";

/** Threads of one OS process of node with its watchdog thread (measured: 11 and 12), and of the compiler for a moment. */
const THREADS = 12;
const COMPILER = 8;
/** Descriptors with which an OS process starts and a worker serves one client (measured: 22 to 28 in use, 32 kept free). */
const DESCRIPTORS = 64;
/** A higher limit is not counted: it costs a read for each OS process of the machine. */
const COUNTED_BELOW = 4_096;

/** @returns one line that says what is missing; `undefined` when nothing is */
export function machineFault(workers: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  if (!existsSync("/proc/self/stat"))
    return "/proc is not mounted, and node reads memory and descriptors from it: mount -t proc proc /proc";
  const descriptors = maxDescriptors();
  if (descriptors > 0 && descriptors < DESCRIPTORS)
    return `${descriptors} file descriptors are allowed, and each OS process needs ${DESCRIPTORS}: raise the limit (ulimit -n)`;
  // Root is not limited.
  if (process.getuid?.() === 0) return undefined;
  const limit = threadLimit();
  if (limit >= COUNTED_BELOW) return undefined;
  const used = threadsInUse();
  const needed = COMPILER + THREADS * workers;
  if (used + needed <= limit) return undefined;
  return `${used} of ${limit} OS processes and threads of this user are in use, and ${workers} workers need ${needed}: raise the limit (ulimit -u), or start fewer --workers`;
}

function threadLimit(): number {
  try {
    const line = /^Max processes\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return Number(line?.[1] === "unlimited" ? Infinity : (line?.[1] ?? Infinity));
  } catch {
    return Infinity;
  }
}

/** Of this user, this OS process included. */
function threadsInUse(): number {
  let threads = 0;
  for (const osPid of osPids()) {
    try {
      const status = readFileSync(`/proc/${osPid}/status`, "utf8");
      const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
      if (uid === process.getuid?.()) threads += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    } catch {}
  }
  return threads;
}

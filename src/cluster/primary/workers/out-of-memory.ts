/** Whether a worker ended for want of memory: its own heap, or the memory of the cgroup (container, systemd unit). */
import { readFileSync } from "node:fs";
import { takeHeapReport } from "../../channel/heap-report.js";

/** Signals by which V8 ends an OS process whose heap is exhausted, by version and platform. */
const ABORTS: readonly (string | null)[] = ["SIGABRT", "SIGTRAP", "SIGILL", "SIGSEGV"];

export class OutOfMemory {
  readonly #folder: string;
  /** Kills of the kernel in this cgroup so far; `undefined` where it cannot be known. */
  #kills = cgroupKills();

  /** @param folder where workers write their reports */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns the exit reason; `undefined`: it was not for want of memory, or that cannot be known */
  reason(osPid: number, signal: string | null): string | undefined {
    if (ABORTS.includes(signal))
      return takeHeapReport(this.#folder, osPid) ? "heap out of memory" : undefined;
    if (signal !== "SIGKILL" || this.#kills === undefined) return undefined;
    const before = this.#kills;
    this.#kills = cgroupKills();
    return (this.#kills ?? 0) > before ? "killed by the kernel: the cgroup is out of memory" : undefined;
  }
}

/** The counter of the cgroup of this OS process; its path is `/` where it is seen from inside a container. */
function cgroupKills(): number | undefined {
  for (const file of counterFiles()) {
    try {
      const [, count] = /^oom_kill (\d+)/m.exec(readFileSync(file, "utf8")) ?? [];
      if (count !== undefined) return Number(count);
    } catch {}
  }
  return undefined;
}

function counterFiles(): string[] {
  let cgroups = "";
  try {
    cgroups = readFileSync("/proc/self/cgroup", "utf8");
  } catch {}
  const [, second] = /^0::(.*)$/m.exec(cgroups) ?? [];
  const [, first] = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(cgroups) ?? [];
  return [
    ...(first === undefined ? [] : [`/sys/fs/cgroup/memory${first}/memory.oom_control`]),
    "/sys/fs/cgroup/memory/memory.oom_control",
    ...(second === undefined ? [] : [`/sys/fs/cgroup${second}/memory.events`]),
    "/sys/fs/cgroup/memory.events",
  ];
}

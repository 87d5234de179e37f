/** Whether a worker ended for want of memory: its own heap, or the memory of the cgroup (container, systemd unit). */
import { readFileSync } from "node:fs";
import { clock } from "../../../otp/time/clock.js";
import { takeHeapReport } from "../../channel/heap-report.js";

/** Signals by which V8 ends an OS process whose heap is exhausted, by version and platform. */
const ABORTS: readonly (string | null)[] = ["SIGABRT", "SIGTRAP", "SIGILL", "SIGSEGV"];

/** Milliseconds between two reads of the counter. A read takes 30 us. */
const LOOK_EVERY = 1_000;
/** A kill of the kernel that is older than this many milliseconds was that of another OS process. */
const KILL_AGE = 2_000;

export class OutOfMemory {
  readonly #folder: string;
  readonly #count: () => number | undefined;
  /** Kills of the kernel in this cgroup so far; `undefined` where it cannot be known. */
  #kills: number | undefined;
  #lookedAt = clock.now();
  /** When kills were noticed that no worker is known to have died of. */
  #unexplained: number[] = [];

  /**
   * @param folder where workers write their reports
   * @param count kills of the kernel in this cgroup so far; `undefined` where it cannot be known
   */
  constructor(folder: string, count: () => number | undefined = cgroupKills) {
    this.#folder = folder;
    this.#count = count;
    this.#kills = count();
  }

  /** To be called every second or more often: the kernel may kill another OS process of the cgroup. */
  look(): void {
    if (this.#kills !== undefined && clock.now() - this.#lookedAt >= LOOK_EVERY) this.#look();
  }

  #look(): void {
    const now = clock.now();
    const kills = this.#count() ?? 0;
    const fresh = Math.max(0, kills - (this.#kills as number));
    this.#unexplained = this.#unexplained.filter((at) => now - at < KILL_AGE);
    this.#unexplained.push(...new Array<number>(Math.min(fresh, 100)).fill(now));
    this.#kills = kills;
    this.#lookedAt = now;
  }

  /** @returns the exit reason; `undefined`: it was not for want of memory, or that cannot be known */
  reason(osPid: number, signal: string | null): string | undefined {
    if (ABORTS.includes(signal))
      return takeHeapReport(this.#folder, osPid) ? "heap out of memory" : undefined;
    if (signal !== "SIGKILL" || this.#kills === undefined) return undefined;
    this.#look();
    const killed = this.#unexplained.shift() !== undefined;
    return killed ? "killed by the kernel: the cgroup is out of memory" : undefined;
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

// The machine of a run: CPU model, cores, memory, and how busy its cores were.
import { cpus, totalmem } from "node:os";
import { MIB } from "../report/format.js";

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / MIB / 1024),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

export function describe({ cpu, cores, memoryGiB, system, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}`;
}

/** Starts measuring. The returned function returns the busy share of all cores since, 0 to 1. */
export function watchCores(): () => number {
  const before = times();
  return () => {
    const after = times();
    const all = after.all - before.all;
    return all > 0 ? (after.busy - before.busy) / all : 0;
  };
}

function times(): { busy: number; all: number } {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.irq + times.idle;
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
}

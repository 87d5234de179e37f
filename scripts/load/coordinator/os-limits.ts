// Plan for many connections within the limits of the OS: file descriptors per process, and local ports per pair of
// source address and target.
import type { Source, Target } from "../both-sides/options.js";

/** Linux has some 28,000 ephemeral ports for each pair of source address and target, other systems 16,000. */
const PORTS_PER_SOURCE = process.platform === "linux" ? 25_000 : 15_000;
/** With several source addresses: the kernel's search for a free port is slow when most are taken. */
const FEW_PER_SOURCE = 5_000;
/** Descriptors that a process needs besides its connections. */
const DESCRIPTORS_ASIDE = 100;
const FEW = 1_000;
const LOOPBACK_FIRST = 0x7f000001;

export interface ResourcePlan {
  /** Minimum number of processes for the connections. */
  processes: number;
  perProcess: number;
  source: Source | undefined;
  notes: string[];
}

export function planResources(
  connections: number,
  targets: readonly Target[],
  source: Source | undefined,
): ResourcePlan {
  const notes: string[] = [];
  const perProcess = connections > FEW ? descriptors() - DESCRIPTORS_ASIDE : FEW;
  const processes = Math.ceil(connections / perProcess);
  if (processes > 2) {
    notes.push(`${processes} generator processes: one may open only ${perProcess + DESCRIPTORS_ASIDE} files`);
  }
  const each = connections / targets.length;
  const sources = Math.ceil(each / FEW_PER_SOURCE);
  if (source || each <= PORTS_PER_SOURCE || !targets.every(({ host }) => host.startsWith("127."))) {
    return { processes, perProcess, source, notes };
  }
  notes.push(`${sources} source addresses from 127.0.0.1 on: one has only ${PORTS_PER_SOURCE} ports`);
  return { processes, perProcess, source: { first: LOOPBACK_FIRST, count: sources }, notes };
}

/** The hard limit of open files: Node raises the soft limit to it. */
function descriptors(): number {
  if (!process.report) return FEW;
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: { open_files?: { hard?: number | string } };
  };
  const hard = Number(userLimits?.open_files?.hard);
  return Number.isFinite(hard) ? Math.max(FEW, hard) : 1_000_000;
}

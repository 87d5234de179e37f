// What many connections need on this side: descriptors, of which an OS process has only so many, and local ports,
// of which a source address has only so many to one target.
import type { Source, Target } from "../generator/client/connect.js";

/** Linux gives out some 28,000 ports to each pair of source address and target, other systems 16,000. */
const PORTS_PER_SOURCE = process.platform === "linux" ? 25_000 : 15_000;
/** Where there must be several: the kernel looks long for a free port among many that are taken. */
const FEW_PER_SOURCE = 5_000;
/** For what a process opens besides its connections. */
const DESCRIPTORS_ASIDE = 100;
const FEW = 1_000;
const LOOPBACK_FIRST = 0x7f000001;

export interface Room {
  /** The fewest that can hold the connections. */
  processes: number;
  perProcess: number;
  source: Source | undefined;
  notes: string[];
}

export function roomFor(connections: number, targets: readonly Target[], source: Source | undefined): Room {
  const notes: string[] = [];
  const perProcess = connections > FEW ? descriptors() - DESCRIPTORS_ASIDE : FEW;
  const processes = Math.ceil(connections / perProcess);
  if (processes > 2) {
    notes.push(
      `${processes} generator processes, because one may open only ${perProcess + DESCRIPTORS_ASIDE} files`,
    );
  }
  const each = connections / targets.length;
  const sources = Math.ceil(each / FEW_PER_SOURCE);
  if (source || each <= PORTS_PER_SOURCE || !targets.every(({ host }) => host.startsWith("127."))) {
    return { processes, perProcess, source, notes };
  }
  notes.push(
    `${sources} source addresses from 127.0.0.1 on, because one has ports for only ${PORTS_PER_SOURCE}`,
  );
  return { processes, perProcess, source: { first: LOOPBACK_FIRST, count: sources }, notes };
}

/** The hard limit: Node raises the soft one to it. */
function descriptors(): number {
  if (!process.report) return FEW;
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: { open_files?: { hard?: number | string } };
  };
  const hard = Number(userLimits?.open_files?.hard);
  return Number.isFinite(hard) ? Math.max(FEW, hard) : 1_000_000;
}

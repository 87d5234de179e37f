/**
 * Totals of one worker slot over all OS processes that ran in it. A total never decreases: the counts of exited
 * OS processes are kept in `#settled`, those of the current one in `#live`.
 */
import { clock } from "../../otp/time/clock.js";
import {
  CLOSE_REASONS,
  type CloseReason,
  REFUSE_REASONS,
  type RefuseReason,
} from "../../tcp/observe/events.js";
import { GAUGES, type Snapshot, TOTALS } from "./snapshot.js";

/** `removed`: `scale` took the slot away; a slot with the same number may be added later. */
export type WorkerState = "starting" | "running" | "stopping" | "down" | "removed";
export type Total = (typeof TOTALS)[number];
export type GaugeName = (typeof GAUGES)[number];

/** The parts of a snapshot that only grow. */
interface Counted {
  readonly totals: Record<Total, number>;
  readonly closed: Record<CloseReason, number>;
  readonly refused: Record<RefuseReason, number>;
}

/** A worker without a snapshot for this many milliseconds is not up, whatever its state. */
const UP_TIMEOUT = 3000;
/** The kernel may correct these downwards; that does not mean a restart. */
const INEXACT: readonly string[] = ["cpuUserSeconds", "cpuSystemSeconds"];

export class WorkerTotals {
  state: WorkerState = "starting";
  /** Messages for processes of this worker that the primary has dropped. */
  channelMessagesDropped = 0;
  readonly #settled = zeros();
  /** Last snapshot of the current OS process. */
  #live: (Counted & { readonly gauges: Record<GaugeName, number> }) | undefined = undefined;
  #reportedAt = clock.now();
  /** Start time of the last retired OS process; 0: none yet. */
  #retiredStart = 0;

  setState(state: WorkerState): void {
    this.state = state;
    if (state === "starting" || state === "running") this.#reportedAt = clock.now();
  }

  update(snapshot: Snapshot): void {
    const start = snapshot.gauges.startTimeSeconds;
    // A last snapshot can arrive after the exit event; it is settled already.
    if (this.#live === undefined && start !== 0 && start === this.#retiredStart) return;
    const counted = copy(snapshot);
    if (this.#live !== undefined) {
      if (restarted(this.#live, counted)) this.#settle();
      else
        for (const name of TOTALS)
          counted.totals[name] = Math.max(counted.totals[name], this.#live.totals[name]);
    }
    this.#live = { ...counted, gauges: pick(GAUGES, snapshot.gauges, gaugeValue) };
    this.#reportedAt = clock.now();
    if (this.state === "down") this.state = "running";
  }

  /** The OS process has exited: its totals are settled, and its open connections count as `worker_died`. */
  retire(): void {
    if (this.#live) this.#retiredStart = this.#live.gauges.startTimeSeconds;
    this.#settle();
    this.state = "down";
  }

  total(name: Total): number {
    return this.#settled.totals[name] + (this.#live?.totals[name] ?? 0);
  }

  closed(reason: CloseReason): number {
    return this.#settled.closed[reason] + (this.#live?.closed[reason] ?? 0);
  }

  refused(reason: RefuseReason): number {
    return this.#settled.refused[reason] + (this.#live?.refused[reason] ?? 0);
  }

  /** `undefined` while there is no OS process, or before its first snapshot. */
  gauge(name: GaugeName): number | undefined {
    return this.#live?.gauges[name];
  }

  get snapshotAgeSeconds(): number {
    return (clock.now() - this.#reportedAt) / 1000;
  }

  get up(): boolean {
    return (
      (this.state === "running" || this.state === "stopping") && this.snapshotAgeSeconds * 1000 <= UP_TIMEOUT
    );
  }

  #settle(): void {
    const live = this.#live;
    if (!live) return;
    const { totals, closed, refused } = this.#settled;
    let left = live.totals.accepted;
    for (const name of TOTALS) totals[name] += live.totals[name];
    for (const reason of REFUSE_REASONS) refused[reason] += live.refused[reason];
    for (const reason of CLOSE_REASONS) {
      closed[reason] += live.closed[reason];
      left -= live.closed[reason];
    }
    closed.worker_died += Math.max(0, left);
    this.#live = undefined;
  }
}

function zeros(): Counted {
  const zero = () => 0;
  return {
    totals: pick(TOTALS, {}, zero),
    closed: pick(CLOSE_REASONS, {}, zero),
    refused: pick(REFUSE_REASONS, {}, zero),
  };
}

/** A copy, since the caller may go on counting in the same object. */
function copy({ totals, closed, refused }: Snapshot): Counted {
  return {
    totals: pick(TOTALS, totals, totalValue),
    closed: pick(CLOSE_REASONS, closed, totalValue),
    refused: pick(REFUSE_REASONS, refused, totalValue),
  };
}

function pick<K extends string>(
  names: readonly K[],
  from: Readonly<Partial<Record<K, number>>>,
  value: (number: number) => number,
): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, value(from[name] ?? 0)])) as Record<K, number>;
}

function totalValue(number: number): number {
  return Number.isFinite(number) && number > 0 ? number : 0;
}

function gaugeValue(number: number): number {
  return Number.isNaN(number) ? 0 : number;
}

/** Whether a counter has decreased: then the snapshot is of a new OS process, which began at 0. */
function restarted(before: Counted, now: Counted): boolean {
  const lower = <K extends string>(names: readonly K[], part: Record<K, number>, next: Record<K, number>) =>
    names.some((name) => !INEXACT.includes(name) && next[name] < part[name]);
  return (
    lower(TOTALS, before.totals, now.totals) ||
    lower(CLOSE_REASONS, before.closed, now.closed) ||
    lower(REFUSE_REASONS, before.refused, now.refused)
  );
}

/**
 * What one worker's place in the cluster has counted, whoever held it. Workers come and go; a total never
 * falls: what an OS process had counted when it ended stays in `#settled`, and its successor's numbers come on top.
 */
import { clock } from "../../otp/time/clock.js";
import {
  CLOSE_REASONS,
  type CloseReason,
  REFUSE_REASONS,
  type RefuseReason,
} from "../../tcp/observe/events.js";
import { GAUGES, type Snapshot, TOTALS } from "./snapshot.js";

/** `removed`: the place is no more, until one of the same number is added. */
export type WorkerState = "starting" | "running" | "stopping" | "down" | "removed";
export type Total = (typeof TOTALS)[number];
export type GaugeName = (typeof GAUGES)[number];

/** The parts of a snapshot that only grow. */
interface Counted {
  readonly totals: Record<Total, number>;
  readonly closed: Record<CloseReason, number>;
  readonly refused: Record<RefuseReason, number>;
}

/** Who is silent for longer is not up, whatever its state says. */
const SILENT_AFTER = 3000;
/** The kernel may correct these downwards; that is no new worker. */
const INEXACT: readonly string[] = ["cpuUserSeconds", "cpuSystemSeconds"];

export class Slot {
  state: WorkerState = "starting";
  readonly #settled = nothing();
  /** Of the OS process that holds the place now. */
  #live: (Counted & { readonly gauges: Record<GaugeName, number> }) | undefined = undefined;
  #heardAt = clock.now();
  /** When the last one that was retired had started; 0: nobody was. */
  #retiredStart = 0;

  become(state: WorkerState): void {
    this.state = state;
    if (state === "starting" || state === "running") this.#heardAt = clock.now();
  }

  update(snapshot: Snapshot): void {
    const start = snapshot.gauges.startTimeSeconds;
    // What the dead had sent can still arrive after the news of its end; it is counted already.
    if (this.#live === undefined && start !== 0 && start === this.#retiredStart) return;
    const counted = copy(snapshot);
    if (this.#live !== undefined) {
      if (fellBack(this.#live, counted)) this.#settle();
      else
        for (const name of TOTALS)
          counted.totals[name] = Math.max(counted.totals[name], this.#live.totals[name]);
    }
    this.#live = { ...counted, gauges: picked(GAUGES, snapshot.gauges, gaugeValue) };
    this.#heardAt = clock.now();
    if (this.state === "down") this.state = "running";
  }

  /** The OS process has ended: its totals are kept, and the connections it had are closed. */
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

  /** `undefined` while nobody holds the place, or has not said anything yet. */
  gauge(name: GaugeName): number | undefined {
    return this.#live?.gauges[name];
  }

  get silentSeconds(): number {
    return (clock.now() - this.#heardAt) / 1000;
  }

  get up(): boolean {
    return (
      (this.state === "running" || this.state === "stopping") && this.silentSeconds * 1000 <= SILENT_AFTER
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

function nothing(): Counted {
  const zero = () => 0;
  return {
    totals: picked(TOTALS, {}, zero),
    closed: picked(CLOSE_REASONS, {}, zero),
    refused: picked(REFUSE_REASONS, {}, zero),
  };
}

/** A copy of its own: the snapshot of a caller may be the very object in which it counts on. */
function copy({ totals, closed, refused }: Snapshot): Counted {
  return {
    totals: picked(TOTALS, totals, totalValue),
    closed: picked(CLOSE_REASONS, closed, totalValue),
    refused: picked(REFUSE_REASONS, refused, totalValue),
  };
}

function picked<K extends string>(
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

/** Whether these are the numbers of somebody else, who began at 0. */
function fellBack(before: Counted, now: Counted): boolean {
  const lower = <K extends string>(names: readonly K[], part: Record<K, number>, next: Record<K, number>) =>
    names.some((name) => !INEXACT.includes(name) && next[name] < part[name]);
  return (
    lower(TOTALS, before.totals, now.totals) ||
    lower(CLOSE_REASONS, before.closed, now.closed) ||
    lower(REFUSE_REASONS, before.refused, now.refused)
  );
}

/**
 * Totals of one worker slot over all OS processes that ran in it, and of each of its listeners. A total never decreases:
 * the counts of exited OS processes are settled, those of the current one are live.
 */
import { clock } from "../../otp/time/clock.js";
import type { OwnLayout } from "../../tcp/metrics/definition.js";
import type { OutgoingCounts } from "../../tcp/observe/events.js";
import {
  CLOSE_REASONS,
  type CloseReason,
  REFUSE_REASONS,
  type RefuseReason,
} from "../../tcp/observe/events.js";
import { OutgoingTotals } from "./outgoing-totals.js";
import { OwnTotals } from "./own-totals.js";
import { SettledCounters } from "./settled-counters.js";
import {
  LISTENER_GAUGES,
  LISTENER_TOTALS,
  type ListenerSnapshot,
  type Snapshot,
  WORKER_GAUGES,
  WORKER_TOTALS,
} from "./snapshot.js";

/** `removed`: `scale` took the slot away; a slot with the same number may be added later. */
export type WorkerState = "starting" | "running" | "stopping" | "down" | "removed";
export type WorkerTotal = (typeof WORKER_TOTALS)[number];
export type WorkerGauge = (typeof WORKER_GAUGES)[number];
export type ListenerTotal = (typeof LISTENER_TOTALS)[number];
export type ListenerGauge = (typeof LISTENER_GAUGES)[number];

/** A worker without a snapshot for this many milliseconds is not up, whatever its state. */
const UP_TIMEOUT = 3000;

const NOTHING: OwnLayout = { metrics: [], reasons: [] };

/** Totals of one listener in one worker slot. */
export class ListenerTotals {
  readonly #totals = new SettledCounters(LISTENER_TOTALS);
  readonly #closed = new SettledCounters(CLOSE_REASONS);
  readonly #refused = new SettledCounters(REFUSE_REASONS);
  #gauges: Record<ListenerGauge, number> | undefined = undefined;

  total(name: ListenerTotal): number {
    return this.#totals.value(name);
  }

  closed(reason: CloseReason): number {
    return this.#closed.value(reason);
  }

  get allClosed(): number {
    return CLOSE_REASONS.reduce((sum, reason) => sum + this.#closed.value(reason), 0);
  }

  refused(reason: RefuseReason): number {
    return this.#refused.value(reason);
  }

  /** `undefined` while there is no OS process, or before its first snapshot. */
  gauge(name: ListenerGauge): number | undefined {
    return this.#gauges?.[name];
  }

  decreased({ totals, closed, refused }: ListenerSnapshot): boolean {
    return (
      this.#totals.decreased(totals) || this.#closed.decreased(closed) || this.#refused.decreased(refused)
    );
  }

  update({ totals, closed, refused, gauges }: ListenerSnapshot): void {
    this.#totals.update(totals);
    this.#closed.update(closed);
    this.#refused.update(refused);
    this.#gauges = pickGauges(LISTENER_GAUGES, gauges);
  }

  /** The open connections count as `worker_died`. */
  settle(): void {
    const open = CLOSE_REASONS.reduce(
      (left, reason) => left - this.#closed.live(reason),
      this.#totals.live("accepted"),
    );
    this.#totals.settle();
    this.#closed.settle();
    this.#refused.settle();
    this.#closed.add("worker_died", Math.max(0, open));
    this.#gauges = undefined;
  }
}

export class WorkerTotals {
  state: WorkerState = "starting";
  /** Messages for processes of this worker that the primary has dropped. */
  channelMessagesDropped = 0;
  /** In the order of the snapshots. */
  readonly listeners: readonly ListenerTotals[];
  readonly outgoing = new OutgoingTotals();
  readonly own: OwnTotals;
  readonly #totals = new SettledCounters(WORKER_TOTALS);
  /** Of the current OS process. */
  #gauges: Record<WorkerGauge, number> | undefined = undefined;
  #reportedAt = clock.now();
  /** Start time of the last retired OS process; 0: none yet. */
  #retiredStart = 0;

  /** @param listeners number of listeners */
  constructor(listeners: number, layout: OwnLayout = NOTHING) {
    this.own = new OwnTotals(layout);
    this.listeners = Array.from({ length: listeners }, () => new ListenerTotals());
  }

  setState(state: WorkerState): void {
    this.state = state;
    if (state === "starting" || state === "running") this.#reportedAt = clock.now();
  }

  update(snapshot: Snapshot, outgoing: readonly OutgoingCounts[] = []): void {
    const start = snapshot.gauges.startTimeSeconds;
    // A last snapshot can arrive after the exit event; it is settled already.
    if (this.#gauges === undefined && start !== 0 && start === this.#retiredStart) return;
    if (this.#decreased(snapshot)) this.#settle();
    this.#totals.update(snapshot.totals);
    if (snapshot.own) this.own.update(snapshot.own);
    this.outgoing.update(outgoing);
    for (const [at, listener] of this.listeners.entries())
      listener.update(snapshot.listeners[at] as ListenerSnapshot);
    this.#gauges = pickGauges(WORKER_GAUGES, snapshot.gauges);
    this.#reportedAt = clock.now();
    if (this.state === "down") this.state = "running";
  }

  /** The OS process has exited: its totals are settled, and its open connections count as `worker_died`. */
  retire(): void {
    if (this.#gauges) this.#retiredStart = this.#gauges.startTimeSeconds;
    this.#settle();
    this.state = "down";
  }

  total(name: WorkerTotal): number {
    return this.#totals.value(name);
  }

  /** `undefined` while there is no OS process, or before its first snapshot. */
  gauge(name: WorkerGauge): number | undefined {
    return this.#gauges?.[name];
  }

  get snapshotAgeSeconds(): number {
    return (clock.now() - this.#reportedAt) / 1000;
  }

  get up(): boolean {
    return (
      (this.state === "running" || this.state === "stopping") && this.snapshotAgeSeconds * 1000 <= UP_TIMEOUT
    );
  }

  #decreased({ totals, listeners }: Snapshot): boolean {
    return (
      this.#totals.decreased(totals) ||
      this.listeners.some((listener, at) => listener.decreased(listeners[at] as ListenerSnapshot))
    );
  }

  #settle(): void {
    this.#totals.settle();
    this.own.settle();
    this.outgoing.settle();
    for (const listener of this.listeners) listener.settle();
    this.#gauges = undefined;
  }
}

function pickGauges<Name extends string>(
  names: readonly Name[],
  from: Readonly<Partial<Record<Name, number>>>,
): Record<Name, number> {
  const gaugeOf = (number = 0) => (Number.isNaN(number) ? 0 : number);
  return Object.fromEntries(names.map((name) => [name, gaugeOf(from[name])])) as Record<Name, number>;
}

/** What a row of the table of series is, and how rows of one kind are made. */
import type { OwnNumbers } from "./os-process.js";
import type { GaugeName, Slot, Total } from "./worker-totals.js";

/** Label values in the order of the row's label names, and the number. A label without a value is left out. The suffix comes behind the row's name. */
export type Sample = readonly [labels: readonly (string | number)[], value: number, suffix?: string];

/** What is known of the primary as an OS process. */
export type Own = OwnNumbers & { readonly eventLoopLagSeconds: number; readonly logLinesDropped: number };
export type OwnNumber = keyof Own;

/** What the primary knows, for a row to pick from. */
export interface Facts {
  readonly build: readonly string[];
  readonly listener: string;
  readonly protocol: string;
  /** By number of the worker. */
  readonly slots: ReadonlyMap<number, Slot>;
  /** The reports of the primary's own supervisors. */
  readonly reports: ReadonlyMap<string, number>;
  readonly restarts: readonly {
    readonly supervisor: string;
    readonly child: string;
    readonly count: number;
  }[];
  readonly restartsLeft: ReadonlyMap<string, number>;
  /** The primary as an OS process; it is shown as worker 0. */
  readonly own: Own;
}

export interface Row {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  samples(facts: Facts): Sample[];
}

type Head = Omit<Row, "samples">;

export function gauge(name: string, help: string, labels: readonly string[]): Head {
  return { name, help, labels, kind: "gauge" };
}

export function counter(name: string, help: string, labels: readonly string[]): Head {
  return { name, help, labels, kind: "counter" };
}

export function totalOf(name: string, help: string, total: Total): Row {
  return {
    ...counter(name, help, ["worker", "listener"]),
    samples: ({ slots, listener }) =>
      [...slots].map(([worker, slot]) => [[worker, listener], slot.total(total)]),
  };
}

/** Of a listener: 0 where its worker is down. */
export function ofListener(name: string, help: string, number: GaugeName): Row {
  return {
    ...gauge(name, help, ["worker", "listener"]),
    samples: ({ slots, listener }) =>
      places(slots).map(([worker, slot]) => [[worker, listener], slot.gauge(number) ?? 0]),
  };
}

/** Those that are to be filled. Of one that was removed only totals are left. */
export function places(slots: ReadonlyMap<number, Slot>): (readonly [worker: number, slot: Slot])[] {
  return [...slots].filter(([, slot]) => slot.state !== "removed");
}

/** Of an OS process: nothing where there is none. */
export function ofWorker(name: string, help: string, number: GaugeName): Row {
  return { ...gauge(name, help, ["worker"]), samples: ({ slots }) => livingGauges(slots, number) };
}

export function ofProcess(name: string, help: string, number: GaugeName & OwnNumber): Row {
  return {
    ...gauge(name, help, ["worker"]),
    samples: ({ slots, own }) => [[[0], own[number]], ...livingGauges(slots, number)],
  };
}

export function livingGauges(slots: ReadonlyMap<number, Slot>, number: GaugeName): Sample[] {
  return [...slots].flatMap(([worker, slot]): Sample[] => {
    const value = slot.gauge(number);
    return value === undefined ? [] : [[[worker], value]];
  });
}

/** A total of every OS process; with several, their sum. */
export function totalOfProcess(name: string, help: string, ...totals: (Total & OwnNumber)[]): Row {
  const sum = (value: (total: Total & OwnNumber) => number) =>
    totals.reduce((all, total) => all + value(total), 0);
  return {
    ...counter(name, help, ["worker"]),
    samples: ({ slots, own }) => [
      [[0], sum((total) => own[total])],
      ...[...slots].map(([worker, slot]): Sample => [[worker], sum((total) => slot.total(total))]),
    ],
  };
}

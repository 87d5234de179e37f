/** What a row of the table of series is, and how rows of one kind are made. */
import type { GaugeName, Slot, Total } from "./slot.js";

/** Label values in the order of the row's label names, and the number. */
export type Sample = readonly [labels: readonly (string | number)[], value: number];

/** What is known of the primary as an OS process. */
export type OwnNumber =
  | "cpuUserSeconds"
  | "cpuSystemSeconds"
  | "residentBytes"
  | "startTimeSeconds"
  | "heapUsedBytes"
  | "heapTotalBytes"
  | "externalBytes";

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
  readonly own: Readonly<Record<OwnNumber, number>>;
}

export interface Row {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
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
      [...slots].map(([worker, slot]) => [[worker, listener], slot.gauge(number) ?? 0]),
  };
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

function livingGauges(slots: ReadonlyMap<number, Slot>, number: GaugeName): Sample[] {
  return [...slots].flatMap(([worker, slot]): Sample[] => {
    const value = slot.gauge(number);
    return value === undefined ? [] : [[[worker], value]];
  });
}

export function cpu(name: string, help: string, total: Total & OwnNumber): Row {
  return {
    ...counter(name, help, ["worker"]),
    samples: ({ slots, own }) => [
      [[0], own[total]],
      ...[...slots].map(([worker, slot]): Sample => [[worker], slot.total(total)]),
    ],
  };
}

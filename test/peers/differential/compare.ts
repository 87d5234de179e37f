/** Differential test: runs the same scenarios here and on OTP, shrinks those whose traces differ, and prints them. */
import { playErlang } from "./erlang.js";
import type { Entry } from "./terms.js";

/** A kind of scenario that runs on both sides. */
export interface Play<S> {
  /** The Erlang module that plays it: `setup/0`, `play/1`. */
  readonly module: string;
  ours(scenario: S): Promise<Entry[]>;
  /** A trace with all that has no order put in order. */
  canonical(entries: readonly Entry[], scenario: S): string[];
  /** All scenarios that are one thing smaller, the boldest first. */
  smaller(scenario: S): S[];
  show(scenario: S): string[];
}

export interface Difference<S> {
  readonly scenario: S;
  readonly ours: readonly string[];
  readonly erlang: readonly string[];
}

interface Compared<S> {
  /** How many events the scenarios had that were compared. */
  readonly events: number;
  readonly differences: readonly Difference<S>[];
}

/**
 * Plays all scenarios on both sides. What went differently is played once more, and must again: real Erlang
 * may take a process off the processor at any moment, so that once is no proof.
 */
export async function compare<S>(play: Play<S>, scenarios: readonly S[]): Promise<Compared<S>> {
  const first = await once(play, scenarios);
  if (first.differences.length === 0) return first;
  const again = first.differences.map(({ scenario }) => scenario);
  return { events: first.events, differences: (await once(play, again)).differences };
}

async function once<S>(play: Play<S>, scenarios: readonly S[]): Promise<Compared<S>> {
  const theirs = await playErlang(play.module, scenarios);
  let events = 0;
  const differences: Difference<S>[] = [];
  for (const [at, scenario] of scenarios.entries()) {
    const erlang = play.canonical(theirs[at] ?? [], scenario);
    const ours = play.canonical(await play.ours(scenario), scenario);
    events += erlang.length;
    if (ours.join("\n") !== erlang.join("\n")) differences.push({ scenario, ours, erlang });
  }
  return { events, differences };
}

/** How long what is smaller is tried. */
const PATIENCE_MS = 45_000;

export async function shrink<S>(play: Play<S>, found: Difference<S>): Promise<Difference<S>> {
  const end = performance.now() + PATIENCE_MS;
  let smallest = found;
  while (performance.now() < end) {
    const { differences } = await compare(play, play.smaller(smallest.scenario));
    const next = differences[0];
    if (!next) break;
    smallest = next;
  }
  return smallest;
}

export function show<S>(play: Play<S>, { scenario, ours, erlang }: Difference<S>): string {
  const theirs = new Set(erlang);
  const mine = new Set(ours);
  return [
    ...play.show(scenario),
    "ours:",
    ...ours.map((line) => `${theirs.has(line) ? "  " : "> "}${line}`),
    "erlang:",
    ...erlang.map((line) => `${mine.has(line) ? "  " : "> "}${line}`),
  ].join("\n");
}

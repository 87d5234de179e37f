/** Both sides play the same scenarios; what differs is made small and shown. */
import { playErlang } from "./erlang.js";
import { playOurs } from "./ours.js";
import type { Scenario } from "./scenario.js";
import { smaller } from "./shrink.js";
import { canonical } from "./trace.js";

export interface Difference {
  readonly scenario: Scenario;
  readonly ours: readonly string[];
  readonly erlang: readonly string[];
}

/**
 * How many events the scenarios had that were compared, and which scenarios went differently, twice: real
 * Erlang may take a process off the processor at any moment, so that once is no proof.
 */
export async function compare(
  scenarios: readonly Scenario[],
): Promise<{ readonly events: number; readonly differences: readonly Difference[] }> {
  const first = await once(scenarios);
  if (first.differences.length === 0) return first;
  const second = await once(first.differences.map(({ scenario }) => scenario));
  return { events: first.events, differences: second.differences };
}

async function once(
  scenarios: readonly Scenario[],
): Promise<{ readonly events: number; readonly differences: Difference[] }> {
  const theirs = await playErlang(scenarios);
  let events = 0;
  const differences: Difference[] = [];
  for (const [at, scenario] of scenarios.entries()) {
    const bursts = new Set(scenario.steps.flatMap((ops, step) => (ops.length > 1 ? [step + 1] : [])));
    const erlang = canonical(theirs[at] ?? [], bursts);
    const ours = canonical(await playOurs(scenario), bursts);
    events += erlang.length;
    if (ours.join("\n") !== erlang.join("\n")) differences.push({ scenario, ours, erlang });
  }
  return { events, differences };
}

/** Rounds of trying what is smaller. */
const ROUNDS = 30;

export async function shrink(found: Difference): Promise<Difference> {
  let smallest = found;
  for (let round = 0; round < ROUNDS; round++) {
    const { differences } = await compare(smaller(smallest.scenario));
    const next = differences[0];
    if (!next) break;
    smallest = next;
  }
  return smallest;
}

export function show({ scenario, ours, erlang }: Difference): string {
  const theirs = new Set(erlang);
  const mine = new Set(ours);
  return [
    JSON.stringify(scenario.tree, null, 1),
    ...scenario.steps.map((step, at) => `step ${at + 1}: ${JSON.stringify(step)}`),
    "ours:",
    ...ours.map((line) => `${theirs.has(line) ? "  " : "> "}${line}`),
    "erlang:",
    ...erlang.map((line) => `${mine.has(line) ? "  " : "> "}${line}`),
  ].join("\n");
}

import type { Play } from "../compare.js";
import type { Entry } from "../terms.js";
import { playOurs } from "./ours.js";
import { type Scenario, STATES } from "./scenario.js";
import { smaller } from "./shrink.js";

const WHO = ["m", "~calls", "~ends", "~sys"];

/** A machine has one order, and so have its answers. Who learns of its end has none: monitors are told as they lie. */
function canonical(entries: readonly Entry[]): string[] {
  return WHO.flatMap((who) => {
    const own = entries.filter(({ group }) => group === who);
    const lines = own.map(({ step, time, line }) => `${step} ${time} ${who}: ${line}`);
    return who === "~ends" ? lines.sort() : lines;
  });
}

function show({ modules, steps, ...rest }: Scenario): string[] {
  const cells = modules.flatMap((module, at) =>
    STATES.flatMap((state) =>
      Object.entries(module.cells[state]).map(
        ([event, answers]) => `module ${at + 1}, ${state}, ${event}: ${JSON.stringify(answers)}`,
      ),
    ),
  );
  return [
    JSON.stringify(rest),
    ...modules.map(({ mode, enter }, at) => `module ${at + 1}: ${mode}${enter ? ", state_enter" : ""}`),
    ...cells,
    ...steps.map((step, at) => `step ${at + 1}: ${JSON.stringify(step)}`),
  ];
}

/** State machines. */
export const machines: Play<Scenario> = { module: "dstatem", ours: playOurs, canonical, smaller, show };

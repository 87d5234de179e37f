import type { Play } from "../compare.js";
import { playOurs } from "./ours.js";
import type { Scenario } from "./scenario.js";
import { smaller } from "./shrink.js";
import { canonical } from "./trace.js";

/** Trees of supervisors. */
export const supervisors: Play<Scenario> = {
  module: "dsupervisor",
  ours: playOurs,
  canonical: (entries, { steps }) =>
    canonical(entries, new Set(steps.flatMap((ops, step) => (ops.length > 1 ? [step + 1] : [])))),
  smaller,
  show: ({ tree, steps }) => [
    JSON.stringify(tree, null, 1),
    ...steps.map((step, at) => `step ${at + 1}: ${JSON.stringify(step)}`),
  ],
};

/**
 * The dynamic supervisor behaviour, OTP's `simple_one_for_one`: child spec of a dynamic supervisor, start of children.
 * The process is in `dynamic-supervisor-process.ts`.
 */

import { ProcessExit } from "../../process/exit-reason.js";
import { processOf } from "../../process/process.js";
import type { ChildSpec } from "../child-spec.js";
import { DynamicSupervisor } from "./dynamic-supervisor-process.js";
import { checkOptions, type DynamicSupervisorOptions } from "./options.js";

export { startChild } from "../requests.js";
export { DynamicSupervisor } from "./dynamic-supervisor-process.js";
export type { DynamicSupervisorOptions } from "./options.js";

/**
 * The child spec of a dynamic supervisor. Its options are checked at once, not at its start.
 * @throws TypeError on a bad option
 */
export function dynamicSupervisor<A extends readonly unknown[] = readonly [ChildSpec]>(
  id: string,
  options: DynamicSupervisorOptions<A>,
): ChildSpec {
  checkOptions(id, options);
  return {
    id,
    type: "supervisor",
    mfargs: ["supervisor", "start_link", [id]],
    start: (parent) => {
      const process = processOf(parent);
      if (!process)
        throw new ProcessExit("noproc", `supervisor ${id} was not started: its parent ${parent} has exited`);
      return new DynamicSupervisor(id, options, process).pid;
    },
  };
}

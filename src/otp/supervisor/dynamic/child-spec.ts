/** A dynamic supervisor in a tree. */

import { ProcessExit } from "../../process/exit-reason.js";
import { processOf } from "../../process/process.js";
import type { ChildSpec } from "../child-spec.js";
import { DynamicSupervisor } from "./dynamic-supervisor.js";
import { checkOptions, type DynamicSupervisorOptions } from "./options.js";

/**
 * A dynamic supervisor as a child of another supervisor. The options are checked now, before anything starts.
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
      if (!process) throw new ProcessExit("noproc", `${parent}, the parent, has ended`);
      return new DynamicSupervisor(id, options, process).pid;
    },
  };
}

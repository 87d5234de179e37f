/** A dynamic supervisor in a tree. */
import type { ChildSpec } from "./child-spec.js";
import { checkOptions, type DynamicSupervisorOptions } from "./dynamic-options.js";
import { DynamicSupervisor } from "./dynamic-supervisor.js";
import { ProcessExit } from "./exit.js";
import { processOf } from "./process.js";

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

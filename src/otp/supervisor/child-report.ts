/** A child as SUPERVISOR and PROGRESS reports show it. */

import type { ChildReport } from "../events.js";
import type { Pid } from "../process/pid.js";
import type { CheckedSpec } from "./child-spec.js";

export function childReport(
  spec: CheckedSpec,
  pid: Pid | undefined,
  id: string | undefined = spec.id,
): ChildReport {
  const { mfargs, restart, significant, shutdown, type } = spec;
  return { pid, id, mfargs, restartType: restart, significant, shutdown, childType: type };
}

/** What a process leaves behind: its crash report, and those who have to be told. */
import { crashReports } from "./events.js";
import type { ExitReason } from "./exit.js";
import type { Pid } from "./pid.js";
import type { Process } from "./process.js";

/** Ends that are still to be told: a queue, so that a chain of a million links needs no stack. */
let telling: (() => void)[] | undefined;

/** Runs `end` now, or after the end that is being told: never inside it. */
export function tell(end: () => void): void {
  if (telling) {
    telling.push(end);
    return;
  }
  telling = [end];
  try {
    for (const next of telling) next();
  } finally {
    telling = undefined;
  }
}

/** Says that a process ends by its own fault. */
export function reportCrash(process: Process, reason: ExitReason): void {
  if (!crashReports.hasSubscribers) return;
  const ancestors: Pid[] = [];
  for (let up = process.parent; up; up = up.parent) ancestors.push(up.pid);
  const { initialCall, pid, registeredName, label, messageQueueLength, links, trapExit } = process;
  crashReports.publish({
    initialCall,
    pid,
    registeredName,
    label,
    reason,
    ancestors,
    messageQueueLength,
    links,
    trapExit,
  });
}

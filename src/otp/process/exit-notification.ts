/** What a process leaves behind: its crash report, and those who have to be told. */
import { crashReports } from "../events.js";
import type { ExitReason } from "./exit-reason.js";
import type { Pid } from "./pid.js";
import type { Process } from "./process.js";

interface Ended {
  readonly process: Process;
  readonly reason: ExitReason;
}

/** Ends that are still to be told: a queue, so that a chain of a million links needs no stack. */
let waiting: Ended[] = [];
let telling = false;

/** Tells those who are linked to a process or watch it of its end: now, or after the end that is being told. */
export function tellEnd(process: Process, reason: ExitReason): void {
  if (telling) {
    waiting.push({ process, reason });
    return;
  }
  telling = true;
  try {
    process.tellLinksAndMonitors(reason);
    for (const next of waiting) next.process.tellLinksAndMonitors(next.reason);
  } finally {
    telling = false;
    if (waiting.length > 0) waiting = [];
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

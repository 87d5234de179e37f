/** What follows the exit of a process: the notification of links and monitors, and the crash report. */
import { crashReports } from "../../events.js";
import type { ExitReason } from "../exit-reason.js";
import type { Pid } from "../pid.js";
import type { LinkedProcess } from "./links.js";

interface Exited {
  readonly process: LinkedProcess;
  readonly reason: ExitReason;
}

/** Exits whose notification waits: a queue, so that a chain of a million links needs no deep stack. */
let queue: Exited[] = [];
let notifying = false;

/** Notifies the links and monitors of an exited process: now, or after the notification that is under way. */
export function notifyExit(process: LinkedProcess, reason: ExitReason): void {
  if (notifying) {
    queue.push({ process, reason });
    return;
  }
  notifying = true;
  try {
    process.notifyLinksAndMonitors(reason);
    for (const next of queue) next.process.notifyLinksAndMonitors(next.reason);
  } finally {
    notifying = false;
    if (queue.length > 0) queue = [];
  }
}

/** What a crash report shows beyond links: see `Process`. */
interface CrashedProcess extends LinkedProcess {
  readonly initialCall: string;
  readonly messageQueueLength: number;
  readonly crashDetails: Readonly<Record<string, unknown>> | undefined;
}

/** Publishes a crash report: the process exits by its own fault. */
export function reportCrash(process: CrashedProcess, reason: ExitReason): void {
  if (!crashReports.hasSubscribers) return;
  const ancestors: Pid[] = [];
  for (let ancestor = process.parent; ancestor; ancestor = ancestor.parent) ancestors.push(ancestor.pid);
  const { initialCall, pid, registeredName, label, messageQueueLength, links, trapExit, crashDetails } =
    process;
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
    details: crashDetails,
  });
}

/**
 * Report that node writes when a worker's heap is exhausted: an abort (SIGABRT) like any other, from whose exit status
 * nothing of that is seen. Only its first line is read, by the primary, which then removes it.
 */
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The head of a report comes first, with the event. */
const HEAD = 1_024;

/** @param folder that of the control socket: only this user may read it */
export function heapReportFile(folder: string, osPid: number): string {
  return join(folder, `heap-${osPid}.json`);
}

/** From now on this OS process writes one. Without the network: addresses would be looked up by name, one after the other. */
export function writeHeapReports(folder: string): void {
  Object.assign(process.report, {
    ...{ directory: folder, filename: heapReportFile("", process.pid), compact: true },
    ...{ excludeNetwork: true, excludeEnv: true, reportOnFatalError: true },
  });
}

/** Whether the heap of this OS process, which has ended, was exhausted. Removes the report. */
export function takeHeapReport(folder: string, osPid: number): boolean {
  const file = heapReportFile(folder, osPid);
  try {
    const fd = openSync(file, "r");
    try {
      const head = Buffer.alloc(HEAD);
      return head.toString("utf8", 0, readSync(fd, head)).includes("heap out of memory");
    } finally {
      closeSync(fd);
      rmSync(file, { force: true });
    }
  } catch {
    return false;
  }
}

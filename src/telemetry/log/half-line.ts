/** Removes the beginning of a line that a full disk has cut off at the end of a log file, so that no line is half. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";

/**
 * @param part what was written of the line
 * @returns whether the file ends before the line now; not when another OS process has written behind it
 */
export function removeHalfLine(fd: number, part: Buffer): boolean {
  try {
    const at = fstatSync(fd).size - part.length;
    if (at < 0 || !readBack(fd, part.length, at).equals(part)) return false;
    ftruncateSync(fd, at);
    return true;
  } catch {
    return false;
  }
}

/** The log's own descriptor is open for writing only. */
function readBack(fd: number, length: number, position: number): Buffer {
  const reader = openSync(`/proc/self/fd/${fd}`, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(reader, bytes, 0, length, position));
  } finally {
    closeSync(reader);
  }
}

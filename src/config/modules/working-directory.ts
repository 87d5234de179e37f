/** A thread needs a working directory to start in: without one Node waits for it for ever, or it ends by an error. */

/** Changes to `/` where the working directory was removed. */
export function leaveRemovedDirectory(): void {
  try {
    process.cwd();
  } catch {
    process.chdir("/");
  }
}

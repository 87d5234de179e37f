/**
 * File of a UNIX socket. libuv removes the path that it has bound when it closes, whatever lies there by then: the
 * socket of another program too. So a temporary name is bound and then moved to the path, and the path is removed
 * here, only while it is still this socket. A killed program leaves its file: it is removed only where no program
 * answers on it.
 */
import { randomBytes } from "node:crypto";
import { linkSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** Identity of a socket file. The number cannot be given to another file while a program listens. */
export type SocketFile = Pick<Stats, "dev" | "ino">;

/** A new name in the same folder. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${randomBytes(3).toString("hex")}`);
}

/** Binds under umask 0177, so the file has mode 0600 from its beginning. `bind` must bind before it returns. */
export function withPrivateMode<T>(bind: () => T): T {
  const before = process.umask(0o177);
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

/** Moves a socket to its path. @throws NodeJS.ErrnoException, `EEXIST` when the path exists */
export function moveIntoPlace(temporary: string, path: string): SocketFile {
  const { dev, ino } = lstatSync(temporary);
  moveNew(temporary, path);
  return { dev, ino };
}

/** Errors of `link` on file systems without hard links. */
const NO_LINKS: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"];

/** Unlike `rename`, `link` does not replace what another starting program has just created. */
function moveNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code) || exists(to)) throw error;
    return renameSync(from, to);
  }
  unlinkSync(from);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Whether the path still leads to this socket. */
export function isInPlace(path: string, { dev, ino }: SocketFile): boolean {
  try {
    const found = lstatSync(path);
    return found.ino === ino && found.dev === dev;
  } catch {
    return false;
  }
}

/** Removes the socket, unless the path leads to another one by now. */
export function removeSocketFile(path: string, file: SocketFile): void {
  if (!isInPlace(path, file)) return;
  try {
    unlinkSync(path);
  } catch {
    // Its folder is no longer writable: the next start finds a stale socket and removes it.
  }
}

/**
 * Removes the socket of a dead program. Between the probe and the removal another starting program may have bound its
 * socket here. So the socket is moved aside and probed again, and moved back if a program answers.
 * @param answers what answers there; `undefined` when no program does
 * @returns what answers; `undefined` when the path is free now
 * @throws NodeJS.ErrnoException when the socket cannot be moved or removed
 */
export async function removeStale<T>(
  path: string,
  answers: (path: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = await answers(path);
  if (found !== undefined) return found;
  // A name of its own: listeners of one folder start at once, and programs in two containers have one pid.
  const aside = temporaryPath(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    // Another program has removed it: `moveIntoPlace` decides which one is first.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const late = await answers(aside);
  if (late === undefined) unlinkSync(aside);
  else renameSync(aside, path);
  return late;
}

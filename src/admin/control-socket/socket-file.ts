/**
 * File of the control socket. libuv removes the path that it has bound when it closes, whatever lies there by then: the
 * socket of another instance too. So a temporary name is bound and then moved to the path, and the path is removed
 * here, only while it is still this socket.
 */
import { randomBytes } from "node:crypto";
import { linkSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { dirname, join } from "node:path";
import { listen } from "../http/http-server.js";
import { checkLength } from "./socket-path.js";

/** Identity of a socket file. The number cannot be given to another file while the server listens. */
export type SocketFile = Pick<Stats, "dev" | "ino">;

/** @throws NodeJS.ErrnoException, `EEXIST` when the path exists; then nothing is left open */
export async function createSocketFile(server: Server, path: string): Promise<SocketFile> {
  const temporary = join(dirname(path), `.${randomBytes(3).toString("hex")}`);
  checkLength(temporary);
  await listenPrivate(server, temporary);
  try {
    const { dev, ino } = lstatSync(temporary);
    moveNew(temporary, path);
    return { dev, ino };
  } catch (error) {
    server.close();
    throw error;
  }
}

/** `listen` binds before it returns, so no other code runs under the changed umask: the socket has mode 0600 at once. */
function listenPrivate(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    return listen(server, { path });
  } finally {
    process.umask(before);
  }
}

/** Errors of `link` on file systems without hard links. */
const NO_LINKS: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"];

/** Unlike `rename`, `link` does not replace what another starting instance has just created. */
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

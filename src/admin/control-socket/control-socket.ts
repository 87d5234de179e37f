/**
 * Control socket: creation, permissions, and removal of a stale one. Any process that can connect controls the
 * program, so no other user may, not even between `bind` and `chmod` (CVE-2023-45145): the folder has mode 0700
 * before the socket is created, and the umask gives the socket mode 0600.
 *
 * A killed program leaves its socket behind. It is removed only if it is a socket and no program answers on it;
 * nothing else is ever removed.
 */
import { lstatSync, mkdirSync, renameSync, type Stats, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { dirname, join } from "node:path";
import { EXIT } from "../../config/config.js";
import { MAX_SOCKET_PATH } from "../../config/control-path.js";
import { AdminError } from "../errors.js";
import { listen } from "../http/http-server.js";
import { alreadyRunning, probeInstance } from "./running-instance.js";

/** @throws AdminError when another program holds the socket, or its folder is not safe */
export async function listenControl(server: Server, path: string): Promise<void> {
  checkLength(path);
  prepareFolder(dirname(path));
  await removeStale(path);
  try {
    await listenPrivate(server, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Another instance started at the same time and was first.
    if (code === "EADDRINUSE") throw alreadyRunning(path, (await probeInstance(path)) ?? UNKNOWN);
    throw refusal(path, message);
  }
}

const UNKNOWN = { osPid: undefined, name: undefined };

/** `listen` binds before it returns, so no other code runs under the changed umask. */
function listenPrivate(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    return listen(server, { path });
  } finally {
    process.umask(before);
  }
}

function checkLength(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= MAX_SOCKET_PATH) return;
  const message = `control socket ${path}: the path has ${length} bytes, the maximum is ${MAX_SOCKET_PATH}: choose a shorter one with --control`;
  throw new AdminError("bad_control", message, EXIT.badConfig);
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refusal(folder, (error as Error).message);
  }
  const found = lstatSync(folder);
  // Links are not followed: in /tmp any user can create one under the name that is used here.
  if (!found.isDirectory())
    throw refusal(folder, "is not a folder: a link is not followed, so name the folder itself");
  if (found.uid !== (process.getuid?.() ?? found.uid)) {
    throw refusal(folder, `belongs to another user (${found.uid}): choose another path with --control`);
  }
  if ((found.mode & 0o077) !== 0) {
    throw refusal(
      folder,
      `other users can enter it: chmod 700 ${folder}, or choose another path with --control`,
    );
  }
}

/** Removes the socket of a dead program. */
async function removeStale(path: string): Promise<void> {
  const found = statOf(path);
  if (found === undefined) return;
  if (!found.isSocket())
    throw refusal(path, "exists and is not a socket: remove it, or choose another path with --control");
  const instance = await probeInstance(path);
  if (instance !== undefined) throw alreadyRunning(path, instance);
  await moveAndRemove(path);
}

/**
 * Between the probe and the removal another starting program may have bound its socket here. So the socket is
 * moved aside and probed again, and moved back if a program answers.
 */
async function moveAndRemove(path: string): Promise<void> {
  const aside = join(dirname(path), `.${process.pid}`);
  try {
    renameSync(path, aside);
  } catch {
    // Another instance has removed it: `bind` decides which one is first.
    return;
  }
  const instance = await probeInstance(aside);
  if (instance === undefined) return unlinkSync(aside);
  renameSync(aside, path);
  throw alreadyRunning(path, instance);
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function refusal(path: string, why: string): AdminError {
  return new AdminError("bad_control", `control socket: ${path}: ${why}`);
}

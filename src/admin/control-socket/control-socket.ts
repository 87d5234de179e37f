/**
 * The control socket. Whoever can connect to it commands the program, so nobody but its owner may come near,
 * not even in the instant between `bind` and `chmod` (CVE-2023-45145): the folder is closed to others before
 * the socket is made, and the socket is born with mode 0600.
 *
 * A program that was killed leaves its socket behind. It is taken over only when it is a socket and nobody
 * answers there; nothing else is ever removed.
 */
import { lstatSync, mkdirSync, renameSync, type Stats, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { dirname, join } from "node:path";
import { EXIT } from "../../config/config.js";
import { AdminError } from "../errors.js";
import { listen } from "../http/http-server.js";
import { alreadyRunning, probeInstance } from "./probe.js";

/** What fits into `sockaddr_un`, without the closing NUL; libuv cuts a longer path off without a word. */
const LONGEST = process.platform === "linux" ? 107 : 103;

/** @throws AdminError when somebody lives there, or the place is not safe */
export async function listenControl(server: Server, path: string): Promise<void> {
  checkLength(path);
  prepareFolder(dirname(path));
  await clear(path);
  try {
    await listenClosed(server, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Another one that started at the same time was quicker.
    if (code === "EADDRINUSE") throw alreadyRunning(path, (await probeInstance(path)) ?? NOBODY);
    throw refusal(path, message);
  }
}

const NOBODY = { osPid: undefined, name: undefined };

/** `bind` happens within `listen`, before it returns: nothing else runs under the changed umask. */
function listenClosed(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    return listen(server, { path });
  } finally {
    process.umask(before);
  }
}

function checkLength(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= LONGEST) return;
  const message = `control socket ${path}: the path has ${length} bytes and a socket's may have ${LONGEST}: choose a shorter one with --control`;
  throw new AdminError("bad_control", message, EXIT.badConfig);
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refusal(folder, (error as Error).message);
  }
  const found = lstatSync(folder);
  // Not followed: in /tmp anybody can lay a link under the name that we are going to use.
  if (!found.isDirectory()) throw refusal(folder, "is not a folder itself: name the folder that it leads to");
  if (found.uid !== (process.getuid?.() ?? found.uid)) {
    throw refusal(folder, `belongs to another user (${found.uid}): choose another place with --control`);
  }
  if ((found.mode & 0o077) !== 0) {
    throw refusal(
      folder,
      `other users can enter it: chmod 700 ${folder}, or choose another place with --control`,
    );
  }
}

/** Makes the path free, if what is there is the socket of a dead program. */
async function clear(path: string): Promise<void> {
  const found = statOf(path);
  if (found === undefined) return;
  if (!found.isSocket())
    throw refusal(path, "exists and is not a socket: remove it, or choose another with --control");
  const instance = await probeInstance(path);
  if (instance !== undefined) throw alreadyRunning(path, instance);
  await takeAway(path);
}

/**
 * Between the question and the removal another starting program may have put its own socket here. What was
 * moved aside is asked again, and put back when it lives.
 */
async function takeAway(path: string): Promise<void> {
  const aside = join(dirname(path), `.${process.pid}`);
  try {
    renameSync(path, aside);
  } catch {
    // Another one has taken it away: `bind` decides who of us comes first.
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

/**
 * Checks of the control socket's path. Any process that can connect controls the program, and the socket's mode 0600
 * allows only its owner (CVE-2023-45145). So the folder may be open for reading, like `/run/drover` with 0755; it must
 * not let other users replace the socket by one of theirs.
 */
import { accessSync, constants, lstatSync, mkdirSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { EXIT } from "../../config/config.js";
import { MAX_SOCKET_PATH } from "../../transport/unix/socket-path.js";
import { AdminError } from "../errors.js";

const WRITABLE_BY_OTHERS = 0o022;
/** With it, only the owner of an entry, or of the folder, can rename or remove the entry: `/tmp`. */
const STICKY = 0o1000;
const ROOT = 0;

/** Creates the folder where it is missing, with mode 0700. @throws AdminError when a socket there would not be safe */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refusal(folder, denial(error));
  }
  checkFolder(folder, lstatSync(folder));
}

/**
 * What a start checks before it creates the socket, without creating anything.
 * @throws AdminError for the reason for which a start would be refused
 */
export function checkSocketPath(path: string): void {
  checkLength(path);
  const folder = dirname(path);
  const found = statOf(folder);
  if (found) checkFolder(folder, found);
  checkWritable(found ? folder : existingParent(folder));
  checkReplaceable(path);
}

/** @throws AdminError when there is something that is not a socket. @returns whether there is a socket */
export function checkReplaceable(path: string): boolean {
  const found = statOf(path);
  if (found === undefined || found.isSocket()) return found !== undefined;
  throw refusal(path, "exists and is not a socket: remove it, or choose another path with --control");
}

/** @throws AdminError (78) */
export function checkLength(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= MAX_SOCKET_PATH) return;
  const message = `control socket ${path}: the path has ${length} bytes, the maximum is ${MAX_SOCKET_PATH}: choose a shorter one with --control`;
  throw new AdminError("bad_control", message, EXIT.badConfig);
}

function checkFolder(folder: string, { mode, uid }: Stats): void {
  // Links are not followed: in /tmp any user can create one under the name that is used here.
  if ((mode & constants.S_IFMT) !== constants.S_IFDIR)
    throw refusal(folder, "is not a folder: a link is not followed, so name the folder itself");
  if (uid !== (process.getuid?.() ?? uid) && uid !== ROOT) {
    throw refusal(folder, `belongs to another user (${uid}): choose another path with --control`);
  }
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
    const advice = `choose another path with --control, or set the sticky bit: chmod +t ${folder}`;
    throw refusal(folder, `other users can replace the socket in it: ${advice}`);
  }
}

function checkWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refusal(folder, denial(error));
  }
}

function existingParent(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || statOf(parent) ? parent : existingParent(parent);
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw refusal(path, denial(error));
  }
}

const DENIALS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is not a folder",
  EEXIST: "a part of the path is not a folder",
  ENOSPC: "no space left on the file system",
};

/** Why something cannot be created, and what to do. */
export function denial(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return `${DENIALS[code] ?? message}: choose another path with --control`;
}

export function refusal(path: string, why: string): AdminError {
  return new AdminError("bad_control", `control socket: ${path}: ${why}`);
}

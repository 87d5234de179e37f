/**
 * Binds a UNIX socket: under a temporary name with mode 0600, then mode and owner are set, then it is moved to its path.
 * So no other user ever sees it with other rights than the configured ones. A file in the way is removed only if it is
 * a socket on which no program answers.
 */
import { chmodSync, chownSync, lstatSync, type Stats, statSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import { getSystemErrorName } from "node:util";
import type { BoundHandle } from "../listening-socket.js";
import type { UnixTarget } from "../transport.js";
import { groupId, userId } from "./account-ids.js";
import {
  moveIntoPlace,
  removeSocketFile,
  removeStale,
  temporaryPath,
  withPrivateMode,
} from "./socket-file.js";
import { isAbstract, kernelPath, pathProblem, shownPath } from "./socket-path.js";

const DEFAULT_MODE = 0o600;

/**
 * @throws NodeJS.ErrnoException with `code` `ENAMETOOLONG`, `EINVAL` (mode of an abstract name, unknown user), `EEXIST`
 * (a file that is no socket), `EADDRINUSE` (a program answers), `ENOENT`, `EACCES`, `EPERM`
 */
export async function bindUnix(target: UnixTarget): Promise<BoundHandle> {
  const path = shownPath(target.path);
  checkUnixTarget(target);
  if (isAbstract(path)) {
    const handle = bindPath(kernelPath(path), path);
    return { handle, address: path, port: 0, close: () => handle.close() };
  }
  const temporary = temporaryPath(path);
  const problem = pathProblem(temporary);
  if (problem !== undefined) throw unixError("ENAMETOOLONG", path, `${problem}, or a longer file name`);
  await clearPath(path);
  const handle = withPrivateMode(() => bindPath(temporary, path));
  try {
    setRights(temporary, target);
    const file = moveIntoPlace(temporary, path);
    const close = () => {
      removeSocketFile(path, file);
      handle.close();
    };
    return { handle, address: path, port: 0, close };
  } catch (error) {
    // It removes the temporary name.
    handle.close();
    throw explained(error, path);
  }
}

/**
 * Checks that need no file system.
 * @throws NodeJS.ErrnoException as `bindUnix`
 */
export function checkUnixTarget({ path, mode, owner, group }: UnixTarget): void {
  const problem = pathProblem(path);
  const tooLong = problem?.startsWith("the path has") === true;
  if (problem !== undefined) throw unixError(tooLong ? "ENAMETOOLONG" : "EINVAL", shownPath(path), problem);
  if (isAbstract(path) && (mode !== undefined || owner !== undefined || group !== undefined))
    throw unixError(
      "EINVAL",
      shownPath(path),
      "an abstract name has no mode, owner or group: choose a path, or remove them",
    );
}

/** @throws NodeJS.ErrnoException when something is in the way that must not be removed */
async function clearPath(path: string): Promise<void> {
  let found: Stats | undefined;
  let answer: string | undefined;
  try {
    // libuv says EACCES for a folder that is missing.
    statSync(dirname(path));
    found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSocket()) answer = await removeStale(path, answers);
  } catch (error) {
    throw explained(error, path);
  }
  if (answer !== undefined) throw unixError("EADDRINUSE", path, answer);
  if (found && !found.isSocket())
    throw unixError("EEXIST", path, "exists and is not a socket: remove it, or choose another path");
}

/** Errors of a connection to a socket of a dead program, or to none. */
const NOT_LISTENING: readonly unknown[] = ["ECONNREFUSED", "ENOENT", "ENOTSOCK"];

/** What answers on the socket, in words; `undefined` when no program does. */
function answers(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve("another program accepts connections on it: stop that one, or choose another path");
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (NOT_LISTENING.includes(code)) resolve(undefined);
      // A full backlog, another kind of socket, or a permission that is missing: it is not proven dead.
      else resolve(`it cannot be connected to (${code}), so another program may use it: choose another path`);
    });
  });
}

type CreateServerHandle = (path: string, port: -1, family: -1) => RawPipe | number;

interface RawPipe {
  close(): void;
}

/** @param path for the message */
function bindPath(name: string, path: string): RawPipe {
  const create = (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle;
  const bound = create(name, -1, -1);
  if (typeof bound !== "number") return bound;
  throw explained(Object.assign(new Error(), { code: getSystemErrorName(bound) }), path);
}

function setRights(temporary: string, { mode = DEFAULT_MODE, owner, group, path }: UnixTarget): void {
  if (owner !== undefined || group !== undefined)
    chownSync(temporary, idOf("owner", owner, path), idOf("group", group, path));
  if (mode !== DEFAULT_MODE) chmodSync(temporary, mode);
}

/** -1: unchanged. */
function idOf(what: "owner" | "group", account: string | number | undefined, path: string): number {
  if (account === undefined) return -1;
  const id = what === "owner" ? userId(account) : groupId(account);
  if (id !== undefined) return id;
  throw unixError(
    "EINVAL",
    path,
    `this machine has no ${what === "owner" ? "user" : "group"} ${JSON.stringify(account)}`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist: create it, or choose another path",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "permission denied",
  EPERM: "not permitted: only root may give it to another user, or to a group that this user is not in",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the file system",
  EEXIST: "another program has just created it",
  EADDRINUSE: "another program accepts connections on it: stop that one, or choose another name",
};

function explained(error: unknown, path: string): NodeJS.ErrnoException {
  const { code = "EIO", message, syscall } = error as NodeJS.ErrnoException;
  if (syscall === "listen") return error as NodeJS.ErrnoException;
  return unixError(
    code,
    path,
    code === "ENOENT" ? `${REASONS.ENOENT} (${dirname(path)})` : (REASONS[code] ?? message),
  );
}

function unixError(code: string, path: string, why: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`UNIX socket ${path}: ${why}`), { code, syscall: "listen", path });
}

/** The file of the log: how it is opened, and what to do where it cannot be. */
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { dirname } from "node:path";

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY, W_OK, X_OK } = constants;

/**
 * What several OS processes append line by line is not mixed up: the kernel puts each write at the end as it is then.
 * And a pipe with a name and no reader is an error, instead of waiting for one.
 */
const APPEND = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK;

/**
 * Opens it to append to, and makes it if there is none.
 * @returns the descriptor
 * @throws NodeJS.ErrnoException
 */
export function openLogFile(file: string): number {
  return openSync(file, APPEND | O_CREAT, 0o640);
}

/**
 * Tries whether it can be opened, but makes none.
 * @throws NodeJS.ErrnoException
 */
export function tryLogFile(file: string): void {
  try {
    closeSync(openSync(file, APPEND));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    accessSync(dirname(file), W_OK | X_OK);
  }
}

/** Why nothing can be logged there, in one line. */
export function logFileTrouble(file: string, error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return `the log file ${file} cannot be written: ${REASONS[code]?.(dirname(file)) ?? message}`;
}

const REASONS: Readonly<Record<string, (folder: string) => string>> = {
  ENOENT: (folder) => `there is no folder ${folder}: make it, or name another --log-file`,
  ENOTDIR: (folder) => `${folder} is no folder: name another --log-file`,
  EISDIR: () => "it is a folder: name a file in it",
  EACCES: () => "this user has no right to: give it that right, or name another --log-file",
  EROFS: () => "its file system is read-only: name another --log-file",
  ENXIO: () => "it is a pipe that nobody reads: start its reader first",
};

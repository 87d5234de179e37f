/** Opens the log file, and explains in one line why it cannot be opened. */
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY, W_OK, X_OK } = constants;

/**
 * O_APPEND: each write of one line goes to the current end of the file, so lines of several OS processes do not mix.
 * O_NONBLOCK: opening a FIFO without a reader fails (ENXIO) instead of blocking.
 */
const APPEND = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK;

/**
 * Opens the file for appending; creates it (mode 0640) if it does not exist.
 * @returns the file descriptor
 * @throws NodeJS.ErrnoException
 */
export function openLogFile(file: string): number {
  return openSync(file, APPEND | O_CREAT, 0o640);
}

/** Paths of standard error, which cannot be opened where it is a socket (systemd, pm2). */
const STDERR: readonly string[] = ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"];

/** Whether the path is that of standard error: then the descriptor is used as it is. */
export function isStderr(file: string | undefined): boolean {
  return file !== undefined && STDERR.includes(file);
}

/**
 * Checks that the file could be opened for appending, without creating it.
 * @throws NodeJS.ErrnoException
 */
export function checkLogFile(file: string): void {
  if (isStderr(file)) return;
  try {
    closeSync(openSync(file, APPEND));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    accessSync(dirname(file), W_OK | X_OK);
  }
}

/** One line: which log file cannot be opened, why, and what to do. */
export function logFileErrorText(file: string, error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return `cannot write log file ${file}: ${REASONS[code]?.(dirname(file), file) ?? message}`;
}

const REASONS: Readonly<Record<string, (folder: string, file: string) => string>> = {
  ENOENT: (folder) => `no such directory ${folder}: create it, or choose another --log-file`,
  ENOTDIR: (folder) => `${folder} is not a directory: choose another --log-file`,
  EISDIR: () => "it is a directory: give the path of a file",
  EACCES: () => "permission denied: grant this user write access, or choose another --log-file",
  EROFS: () => "read-only file system: choose another --log-file",
  ENXIO: (_, file) =>
    isSocket(file)
      ? "it is a socket: give the path of a file, or leave --log-file out to log to standard output"
      : "it is a FIFO without a reader: start the reader first",
};

function isSocket(file: string): boolean {
  try {
    return statSync(file).isSocket();
  } catch {
    return false;
  }
}

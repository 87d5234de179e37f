/**
 * Why the admin server cannot be: one line for people, a code for programs, and the exit code with which the
 * program ends when it happens at start.
 */
import { EXIT } from "../config/config.js";

/**
 * `EADDRINUSE` and other codes of the platform: the port cannot be bound. The others are ours:
 * `already_running` a living instance holds the control socket; `exposed` another machine could reach the
 * port and no token protects it; `bad_token`; `bad_control` the path of the control socket cannot be used.
 */
export type AdminErrorCode = "already_running" | "exposed" | "bad_token" | "bad_control" | (string & {});

export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly code: AdminErrorCode;
  readonly exitCode: number;

  constructor(code: AdminErrorCode, message: string, exitCode: number = EXIT.unavailable) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** What cannot be bound, in the words of who has to mend it. */
export function bindError(where: string, error: unknown, hint: string): AdminError {
  const { code = "EIO", message } = error as NodeJS.ErrnoException;
  const why = REASONS[code] ?? message;
  return new AdminError(code, `admin server: cannot listen on ${where}: ${why}: ${hint}`);
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the address is taken by another program",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "this machine does not have that address",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host name cannot be resolved",
};

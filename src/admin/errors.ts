/** Error of the admin server at start: a one-line message, a code for programs, and the exit code of the program. */
import { EXIT } from "../config/config.js";

/**
 * `EADDRINUSE` and other codes of the platform: the port cannot be bound. `already_running`: another instance holds
 * the control socket. `exposed`: other machines can reach the port and there is no token. `bad_token`: the token is
 * too short. `bad_control`: the path of the control socket cannot be used.
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

/** Error of an address that cannot be bound. */
export function bindError(where: string, error: unknown, hint: string): AdminError {
  const { code = "EIO", message } = error as NodeJS.ErrnoException;
  const why = REASONS[code] ?? message;
  return new AdminError(code, `admin server: cannot listen on ${where}: ${why}: ${hint}`);
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the address is taken by another program",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "not an address of this machine",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host name cannot be resolved",
};

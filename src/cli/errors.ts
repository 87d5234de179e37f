/** Error of a command: one line on stderr, and an exit code. */
import { EXIT } from "../config/config.js";

export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.unavailable) {
    super(message);
    this.exitCode = exitCode;
  }
}

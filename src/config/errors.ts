/**
 * Error of a refused configuration. Its message is one line, because it is read in a journal, in `pm2 logs` or in
 * the status of a pod, where a second line gets lost.
 */
import { escapeControls } from "../text/escape.js";
import type { EXIT } from "./exit-codes.js";

/** 64 when the mistake was typed on the command line, 78 when it was found anywhere else. */
export type ConfigExitCode = typeof EXIT.usage | typeof EXIT.badConfig;

/** A configuration that is refused. `message` is one printable line that begins with the place of the mistake. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode: ConfigExitCode;

  constructor(exitCode: ConfigExitCode, message: string) {
    super(escapeControls(message));
    this.exitCode = exitCode;
  }
}

/**
/**
 * Error for an invalid configuration. Its message is one line: the journal, `pm2 logs` and the status of a pod show
 * lines separately.
 */
import { escapeControls } from "../text/escape.js";
import type { EXIT } from "./exit-codes.js";

/** 64 for a mistake on the command line, 78 for one anywhere else. */
export type ConfigExitCode = typeof EXIT.usage | typeof EXIT.badConfig;

/** Invalid configuration. `message` is one printable line that begins with the place of the mistake. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode: ConfigExitCode;

  constructor(exitCode: ConfigExitCode, message: string) {
    super(escapeControls(message));
    this.exitCode = exitCode;
  }
}

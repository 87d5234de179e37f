/**
 * How the program ends, and the error that says why it did not begin. One line, because it is read in a
 * journal, in `pm2 logs` or in the status of a pod, where the second line is somewhere else.
 */

/** Exit codes of the program: those of sysexits.h, which init systems and scripts know. */
export const EXIT = {
  /** Asked to stop, and stopped. */
  ok: 0,
  /** The command line is wrong. */
  usage: 64,
  /** The protocol cannot be loaded. */
  noProtocol: 66,
  /** The address cannot be bound, or the server cannot be reached. */
  unavailable: 69,
  /** The restart intensity was reached. */
  gaveUp: 70,
  /** The environment, a file or the protocol holds a wrong value. */
  badConfig: 78,
} as const;

/** 64 when the mistake was typed on the command line, 78 when it was found anywhere else. */
export type ConfigExitCode = typeof EXIT.usage | typeof EXIT.badConfig;

/** A configuration that is refused. `message` is one printable line that begins with the place of the mistake. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode: ConfigExitCode;

  constructor(exitCode: ConfigExitCode, message: string) {
    super(printable(message));
    this.exitCode = exitCode;
  }
}

/** Names of files and keys come from outside and may hold line ends or terminal escapes. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

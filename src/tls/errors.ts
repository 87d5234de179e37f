/** Mistakes in certificates and keys: one line that names the option and the file, and never quotes what is in it. */

export class TlsError extends Error {
  override readonly name = "TlsError";
  /** Whether certificate and key do not fit: the second of the two files may be about to be written. */
  readonly unequal: boolean;

  constructor(message: string, unequal = false) {
    super(message);
    this.unequal = unequal;
  }
}

/** Name of an option in a message: `tls.more[0].key`, `--tls-key`. */
export type OptionName = (option: string) => string;

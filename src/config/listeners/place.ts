/** Place of a value inside a configuration file, for error messages: `acme.json:7:20: listeners[1].tls.key`. */
import { ConfigError, type ConfigExitCode } from "../errors.js";

/** Line and column of a path of keys, as `acme.json:7:20`; only the file's name where they are unknown. */
export type Locate = (path: string) => string;

interface Origin {
  readonly locate: Locate;
  readonly exitCode: ConfigExitCode;
  /** Base of relative paths: the directory of the file. */
  readonly folder: string;
}

export class Place {
  /** `listeners[1].tls.key` */
  readonly path: string;
  readonly #origin: Origin;

  constructor(path: string, origin: Origin) {
    this.path = path;
    this.#origin = origin;
  }

  get folder(): string {
    return this.#origin.folder;
  }

  get exitCode(): ConfigExitCode {
    return this.#origin.exitCode;
  }

  /** Place of a value inside this one: by key of an object, or index of an array. */
  at(key: string | number): Place {
    const path = typeof key === "number" ? `${this.path}[${key}]` : `${this.path}.${key}`;
    return new Place(path, this.#origin);
  }

  /** The error for this value; `message` follows the place: `expected …`. */
  error(message: string): ConfigError {
    return new ConfigError(this.exitCode, `${this}: ${message}`);
  }

  toString(): string {
    return `${this.#origin.locate(this.path)}: ${this.path}`;
  }
}

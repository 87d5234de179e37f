/**
 * Options of protocols, as they are given: `--set key=value`, and `options` in a configuration file. What they mean is
 * checked by the protocol's own schema, after it has been loaded.
 */
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import type { Place } from "./listeners/place.js";
import { isPlainObject, type Reader } from "./listeners/readers.js";
import { show } from "./options/value.js";

/** One option of a protocol, not checked. */
export interface ProtocolOption {
  readonly key: string;
  readonly value: unknown;
  /** Whether it is the text of a flag. */
  readonly text: boolean;
  /** `--set batch`, `acme.json:3:5: options.batch` */
  readonly place: string;
  /** Whether it is given for all listeners. */
  readonly common?: true;
}

/** Row of the help text and of the table of options, beside those of `options/tables/`. */
export const SET = {
  flag: "--set",
  placeholder: "KEY=VALUE",
  key: "options",
  defaultText: "none",
  sentence: "Set an option of the protocol, which checks it; may be repeated.",
} as const;

const KEY = /^[A-Za-z_$][\w$-]{0,63}$/;

/** @throws ConfigError (64) */
export function readSet(text: string): ProtocolOption {
  const at = text.indexOf("=");
  const key = text.slice(0, at);
  if (at < 1 || !KEY.test(key))
    throw new ConfigError(EXIT.usage, `--set: expected KEY=VALUE such as batch=100, got ${show(text)}`);
  return { key, value: text.slice(at + 1), text: true, place: `--set ${key}` };
}

/** An object of options in a file. @throws ConfigError (78) */
export const readProtocolOptions: Reader<readonly ProtocolOption[]> = (value, place) => {
  if (!isPlainObject(value))
    throw place.error(`expected an object of options of the protocol, got ${show(value)}`);
  const given = Object.entries(value).filter(([, one]) => one !== undefined);
  return given.map(([key, one]) => readOption(key, one, place.at(key)));
};

function readOption(key: string, value: unknown, place: Place): ProtocolOption {
  if (!KEY.test(key)) throw place.error(`the key of an option is a word such as batch, got ${show(key)}`);
  try {
    // Workers get it by a message.
    return { key, value: structuredClone(value), text: false, place: `${place}` };
  } catch {
    throw place.error(`expected data, which workers can be sent, got ${show(value)}`);
  }
}

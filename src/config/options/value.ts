/**
 * Validates one value of one option and keeps its place (flag, variable, line of a file) with it, for error
 * messages of later checks.
 */
import { inspect } from "node:util";
import * as v from "valibot";
import { ConfigError, type ConfigExitCode } from "../errors.js";
import type { Option } from "./options.js";
import { didYouMean } from "./suggest.js";

/** A valid value with its place. */
export interface Setting {
  /** Typed: milliseconds for a duration, absolute path for a path. */
  readonly value: unknown;
  /** `--port`, `DROVER_PORT`, `drover.json:3:5: port`, `protocol: port` */
  readonly place: string;
  readonly exitCode: ConfigExitCode;
}

/** The values of one source, by key. */
export type SettingMap = Map<string, Setting>;

export interface RawValue {
  readonly raw: unknown;
  readonly place: string;
  readonly exitCode: ConfigExitCode;
  /** Base of relative paths. */
  readonly folder: string;
}

/** @throws ConfigError naming the place, the value and what is allowed. */
export function readText(option: Option, written: RawValue & { readonly raw: string }): Setting {
  return readValue(option, { ...written, raw: option.kind.fromText(written.raw) }, written.raw);
}

/**
 * @param shown the text as it was written, where `raw` is converted from it.
 * @throws ConfigError naming the place, the value and what is allowed.
 */
export function readValue(option: Option, written: RawValue, shown = written.raw): Setting {
  const { place, exitCode } = written;
  const refusal = option.kind.refusal?.(written.raw);
  if (refusal !== undefined) throw new ConfigError(exitCode, `${place}: ${refusal}`);
  const result = v.safeParse(option.kind.schema, written.raw);
  if (!result.success) {
    const hint = typeof shown === "string" ? didYouMean(shown, option.kind.words) : "";
    throw new ConfigError(exitCode, `${place}: expected ${option.kind.expected}, got ${show(shown)}${hint}`);
  }
  return { value: option.kind.absolute(result.output, written.folder), place, exitCode };
}

/** Formats any value on one short line, for error messages. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  // A private key, in the place of the path of its file.
  if (typeof value === "string" && value.includes("-----BEGIN")) return "PEM text";
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "function") return "a function";
  return value !== null && typeof value === "object" ? "an object" : inspect(value);
}

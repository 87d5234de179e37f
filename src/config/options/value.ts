/**
 * One value from one place: read, judged, and kept together with the place, so that whoever refuses it later
 * can still name where it was written.
 */
import { resolve } from "node:path";
import { inspect } from "node:util";
import * as v from "valibot";
import { ConfigError, type ConfigExitCode } from "../errors.js";
import type { Option } from "./options.js";
import { nearest } from "./suggest.js";

/** An accepted value. */
export interface Setting {
  /** Typed: milliseconds for a duration, absolute for a path. */
  readonly value: unknown;
  /** `--port`, `DROVER_PORT`, `drover.json:3:5: port`, `protocol: port` */
  readonly place: string;
  readonly exitCode: ConfigExitCode;
}

/** The values of one source, by key. */
export type SettingMap = Map<string, Setting>;

export interface Written {
  readonly raw: unknown;
  readonly place: string;
  readonly exitCode: ConfigExitCode;
  /** Where relative paths begin. */
  readonly folder: string;
}

/** @throws ConfigError naming the place, the value and what is allowed. */
export function readText(option: Option, written: Written & { readonly raw: string }): Setting {
  return readValue(option, { ...written, raw: option.kind.fromText(written.raw) }, written.raw);
}

/**
 * @param shown the value as it was written, where `raw` is a reading of it.
 * @throws ConfigError naming the place, the value and what is allowed.
 */
export function readValue(option: Option, written: Written, shown = written.raw): Setting {
  const { place, exitCode } = written;
  const result = v.safeParse(option.kind.schema, written.raw);
  if (!result.success) {
    const meant = typeof shown === "string" ? nearest(shown, option.kind.words) : undefined;
    const question = meant === undefined ? "" : `: did you mean ${meant}?`;
    throw new ConfigError(
      exitCode,
      `${place}: expected ${option.kind.expected}, got ${show(shown)}${question}`,
    );
  }
  const value = option.kind.isPath ? resolve(written.folder, result.output as string) : result.output;
  return { value, place, exitCode };
}

/** Any value, short and in one line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "function") return "a function";
  return value !== null && typeof value === "object" ? "an object" : inspect(value);
}

/**
 * Limits that can be changed while the server runs: options of the same name, read by the same parsers. A value that is
 * not set is `undefined`.
 */
import { EXIT } from "./exit-codes.js";
import { integer, type Kind } from "./options/kinds.js";
import { OPTIONS, type Option } from "./options/options.js";
import { readValue } from "./options/value.js";

export const LIMIT_KEYS = [
  "maxConnections",
  "acceptRate",
  "maxPerAddress",
  "addressRate",
  "addressBan",
  "allow",
  "deny",
] as const;
export type LimitKey = (typeof LIMIT_KEYS)[number];
export type LimitValue = number | string | readonly string[] | undefined;

export interface RuntimeLimit {
  readonly key: LimitKey;
  /** As it is typed: `max-per-address`, the flag without dashes. */
  readonly name: string;
  /** Whether it is a list of networks, to which some may be added. */
  readonly networks: boolean;
  /** Value of the server without one; `undefined`: it has no limit then. */
  readonly off: LimitValue;
  readonly option: Option;
}

export const LIMITS: readonly RuntimeLimit[] = LIMIT_KEYS.map((key) => {
  const option = OPTIONS.find((one) => one.key === key) as Option;
  const networks = key === "allow" || key === "deny";
  return { key, name: option.flag.slice(2), networks, off: option.default as LimitValue, option };
});

/** Of one listener, which has no `auto`: without a number only the limit of all listeners holds. */
const OF_LISTENER: Partial<Record<LimitKey, Kind<any, any>>> = { maxConnections: integer(1, 10_000_000) };

/**
 * @param given text as after a flag, or the typed value as in a configuration file
 * @throws ConfigError naming the limit, the value and what is allowed
 */
export function readLimit(
  { key, name, option }: RuntimeLimit,
  given: unknown,
  ofListener: boolean,
): LimitValue {
  const kind = (ofListener && OF_LISTENER[key]) || option.kind;
  const raw = typeof given === "string" ? kind.fromText(given) : given;
  const written = { raw, place: name, exitCode: EXIT.usage, folder: "/" };
  return readValue({ ...option, kind }, written, given).value as LimitValue;
}

/** The value as `drover config` shows it. */
export function showLimit({ key, option }: RuntimeLimit, value: LimitValue): string {
  if (key === "addressBan" && value === 0) return "none";
  return option.show(value);
}

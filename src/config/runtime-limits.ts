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
  "whenFull",
  "acceptRate",
  "maxPerAddress",
  "addressRate",
  "addressBan",
  "allow",
  "deny",
  "firstFrame",
  "lifetime",
  "framesPerSecond",
  "bytesPerSecond",
  "workerOutbound",
  "workerInbound",
  "maxMemory",
  "maxLag",
] as const;
export type LimitKey = (typeof LIMIT_KEYS)[number];
export type LimitValue = number | string | readonly string[] | undefined;

export interface RuntimeLimit {
  readonly key: LimitKey;
  /** As it is typed: `max-per-address`, the flag without dashes. */
  readonly name: string;
  /** Whether it is a list of networks, to which some may be added. */
  readonly networks: boolean;
  /** Whether it is of workers, so that a listener has none of its own. */
  readonly serverOnly: boolean;
  /** Whether a listener without its own has the server's; else it stands beside that. */
  readonly inherited: boolean;
  /** What `off` sets for the server: `undefined` as a value is no limit. `undefined`: it cannot be turned off. */
  readonly off: { readonly value: LimitValue } | undefined;
  readonly option: Option;
}

/** Of each worker: no listener has its own. */
const OF_WORKERS: readonly LimitKey[] = ["workerOutbound", "workerInbound", "maxMemory", "maxLag"];
/** What a listener has of its own replaces the server's. */
const INHERITED: readonly LimitKey[] = [
  ...(["allow", "deny", "whenFull"] as const),
  ...(["firstFrame", "lifetime", "framesPerSecond", "bytesPerSecond"] as const),
];

export const LIMITS: readonly RuntimeLimit[] = LIMIT_KEYS.map((key) => {
  const option = OPTIONS.find((one) => one.key === key) as Option;
  const networks = key === "allow" || key === "deny";
  return {
    key,
    name: option.flag.slice(2),
    networks,
    serverOnly: OF_WORKERS.includes(key),
    inherited: INHERITED.includes(key),
    off: offOf(key, option.default as LimitValue),
    option,
  };
});

function offOf(key: LimitKey, byDefault: LimitValue): RuntimeLimit["off"] {
  // A client at the limit must meet something.
  if (key === "whenFull") return undefined;
  return { value: key === "maxLag" ? 0 : byDefault };
}

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
  if (key === "maxLag" && value === 0) return "off";
  return option.show(value);
}

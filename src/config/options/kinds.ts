/**
 * Value types of options. valibot validates a typed value from any source. A flag or an environment variable is
 * text and is converted first, strictly: `""`, `"1e3"`, `"0x10"` and `"80 "` are not numbers.
 */
import { isIP } from "node:net";
import { resolve } from "node:path";
import * as v from "valibot";
import { type Duration, toMs } from "../../otp/time/duration.js";
import { networkMistake } from "../../proxy/trusted-networks.js";
import { isRate, parseRate, showRate } from "../../tcp/admission/rate.js";
import { hasCredentials, NATS_CREDENTIALS, natsAddress } from "../../text/nats-url.js";
import { MAX_TIMER_MS } from "../limits.js";

/** `In` is the type in a file or a protocol, `Out` the type in the program. */
export interface Kind<In, Out> {
  readonly schema: v.GenericSchema<In, Out>;
  /** Completes the message "expected …". */
  readonly expected: string;
  /** A message in place of it, for a value that must not be quoted. */
  readonly refusal?: (raw: unknown) => string | undefined;
  /** Converts text to the typed value; text that cannot be converted is returned unchanged, for `schema` to refuse. */
  readonly fromText: (text: string) => unknown;
  /** Formats the value for people. */
  readonly show: (value: Out) => string;
  /** Valid words, for suggestions. */
  readonly words: readonly string[];
  /** Whether it is a path of a file, for completion. */
  readonly isPath: boolean;
  /** Makes a path absolute: a relative one begins in the directory of the file that sets it, or the working directory. */
  readonly absolute: (value: Out, folder: string) => Out;
}

/** An integer from `min` to `max`, inclusive. */
export function integer(min: number, max: number): Kind<number, number> {
  const schema = v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
  return kind({ schema, expected: `a whole number from ${min} to ${max}`, fromText: numberFrom });
}

/** A TCP port; 0 stands for any free one. */
export function port(): Kind<number, number> {
  return integer(0, 65_535);
}

/** `"auto"`, or an integer from `min` to `max`, inclusive. */
export function autoOr(min: number, max: number): Kind<number | "auto", number | "auto"> {
  const number = integer(min, max);
  const schema = v.union([v.literal("auto"), number.schema]);
  return kind({ schema, expected: `auto, or ${number.expected}`, fromText: numberFrom, words: ["auto"] });
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: Word[]): Kind<Word, Word> {
  return kind({ schema: v.picklist(words), expected: `one of ${words.join(", ")}`, words });
}

/** Text that matches `form`. */
export function text(form: RegExp, expected: string): Kind<string, string> {
  return kind({ schema: v.pipe(v.string(), v.regex(form)), expected });
}

/** An IP address or a host name. Brackets around IPv6 belong to URLs and are refused. */
export function host(): Kind<string, string> {
  const schema = v.pipe(v.string(), v.check(isHost));
  return kind({ schema, expected: "an IP address (IPv6 without brackets) or a host name" });
}

const PATH = v.pipe(
  v.string(),
  v.check((value) => value !== "" && !value.includes("\0") && !value.startsWith("-----BEGIN")),
);

/** Path of a file. */
export function path(): Kind<string, string> {
  const absolute = (value: string, folder: string) => resolve(folder, value);
  return kind({ schema: PATH, expected: "a path", isPath: true, absolute });
}

/** Path of a UNIX socket, or the name of an abstract one of Linux: `@name`. */
export function socketPath(): Kind<string, string> {
  const absolute = (value: string, folder: string) =>
    value.startsWith("@") ? value : resolve(folder, value);
  return kind({ schema: PATH, expected: "a path, or @ and a name", isPath: true, absolute });
}

/** A user or group of this machine, by name or number. */
export function account(what: "user" | "group"): Kind<string, string> {
  return text(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/, `the name or number of a ${what}`);
}

/** Networks in CIDR notation, single addresses, and `unix`: an array, or text with commas in between. */
export function networks(): Kind<string | readonly string[], readonly string[]> {
  const schema = v.pipe(
    v.custom<string | readonly string[]>((value) => typeof value === "string" || Array.isArray(value)),
    v.transform((given) => (typeof given === "string" ? given.split(",") : given)),
    v.check((entries) => entries.length > 0 && entries.every((entry) => networkMistake(entry) === undefined)),
  );
  const expected = "networks such as 10.0.0.0/8, addresses, or unix";
  // An array is not shown, so the entry is.
  const refusal = (raw: unknown) => {
    const wrong = Array.isArray(raw) ? raw.find((entry) => networkMistake(entry) !== undefined) : undefined;
    return wrong === undefined ? undefined : `expected ${expected}, got ${JSON.stringify(wrong)} among them`;
  };
  return kind({ schema, expected, refusal, show: (entries) => entries.join(",") });
}

/** Events a second, and how many at once: `10`, `10:50`. */
export function rate(): Kind<number | string, string> {
  const schema = v.pipe(
    v.custom<number | string>(isRate),
    v.transform((given) => showRate(parseRate(given))),
  );
  return kind({ schema, expected: "a number a second such as 10, or 10:50 for 50 at once" });
}

/** URLs of NATS servers: an array, or text with commas in between. */
export function natsUrls(): Kind<string | readonly string[], readonly string[]> {
  const schema = v.pipe(
    v.custom<string | readonly string[]>((value) => typeof value === "string" || Array.isArray(value)),
    v.transform((given) => (typeof given === "string" ? given.split(",") : given)),
    v.check((urls) => urls.length > 0 && urls.every((url) => typeof url === "string" && !!natsAddress(url))),
  );
  const refusal = (raw: unknown) =>
    hasCredentials(raw)
      ? `a URL with credentials is seen by every user of the machine: ${NATS_CREDENTIALS}`
      : undefined;
  const expected = "URLs such as nats://n1:4222 or tls://n1:4222, separated by commas";
  return kind({ schema, expected, refusal, show: (urls) => urls.join(",") });
}

/** Permission bits of a file, as octal digits: `0660`. Numbers are refused: 660 would be read as decimal. */
export function fileMode(): Kind<string, number> {
  const schema = v.pipe(
    v.string(),
    v.regex(/^0?[0-7]{3}$/),
    v.transform((digits) => Number.parseInt(digits, 8)),
  );
  const show = (mode: number) => mode.toString(8).padStart(4, "0");
  return kind({ schema, expected: 'permissions in octal digits, such as "0660"', show });
}

const UNITS = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 } as const;

/** An amount of memory of at least `min` MiB, such as `512M` or `2G`, converted to bytes; a number is bytes. */
export function memory(min: number): Kind<number | string, number> {
  return bytes(min * UNITS.M, "512M or 2G");
}

/** An amount of at least `min` bytes, with K, M or G of 1024, converted to bytes. @param such examples */
export function bytes(min: number, such: string): Kind<number | string, number> {
  const schema = v.pipe(
    v.custom<number | string>((value) => typeof value === "number" || typeof value === "string"),
    v.transform(bytesOf),
    v.integer(),
    v.minValue(min),
    v.maxValue(Number.MAX_SAFE_INTEGER),
  );
  const expected = `at least ${showMemory(min)}: a number with K, M or G (of 1024), such as ${such}`;
  return kind({ schema, expected, show: showMemory });
}

function bytesOf(given: number | string): number {
  if (typeof given === "number") return given;
  const [, digits, unit] = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(given) ?? [];
  if (digits === undefined) return Number.NaN;
  return Number(digits) * (unit ? UNITS[unit.toUpperCase() as keyof typeof UNITS] : 1);
}

/** Bytes in the largest unit without a fraction: `512M`. */
export function showMemory(bytes: number): string {
  const unit = (["G", "M", "K"] as const).find((one) => bytes % UNITS[one] === 0);
  return unit === undefined ? String(bytes) : `${bytes / UNITS[unit]}${unit}`;
}

/** A duration of at least `min` milliseconds, converted to milliseconds. */
export function duration(min: 0 | 1): Kind<Duration, number> {
  const schema = v.pipe(
    v.custom<Duration>((value) => typeof value === "number" || typeof value === "string"),
    v.rawTransform<Duration, number>(({ dataset, addIssue, NEVER }) => {
      try {
        return toMs(dataset.value);
      } catch {
        addIssue();
        return NEVER;
      }
    }),
    v.minValue(min),
    v.maxValue(MAX_TIMER_MS),
  );
  const above = min === 0 ? "" : " over 0";
  const expected = `a duration${above} up to 24 days: milliseconds, or a number with ms, s, m or h such as 2m`;
  return kind({ schema, expected, fromText: numberFrom, show: showDuration });
}

/** Milliseconds of a duration such as `25s` or `1500`; `undefined` when the text is not a duration. */
export function durationOf(text: string): number | undefined {
  const { schema, fromText } = duration(0);
  const { success, output } = v.safeParse(schema, fromText(text));
  return success ? output : undefined;
}

/** A duration in the largest unit without a fraction: `2m`, `1500ms`. */
export function showDuration(ms: number): string {
  const units = [["h", 3_600_000] as const, ["m", 60_000] as const, ["s", 1000] as const];
  const unit = units.find(([, length]) => ms > 0 && ms % length === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

type Given<In, Out> = Partial<Kind<In, Out>> & Pick<Kind<In, Out>, "schema" | "expected">;

function kind<In, Out>(given: Given<In, Out>): Kind<In, Out> {
  return {
    fromText: (value) => value,
    show: String,
    words: [],
    isPath: false,
    absolute: (value) => value,
    ...given,
  };
}

function numberFrom(value: string): unknown {
  return /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

function isHost(value: string): boolean {
  if (isIP(value) !== 0) return true;
  const labels = value.split(".");
  const wellFormed = labels.every((label) =>
    /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label),
  );
  // A last label of digits only is a mistyped IPv4 address, never a host name.
  return value.length <= 253 && wellFormed && !/^\d+$/.test(labels.at(-1)!);
}

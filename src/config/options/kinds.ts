/**
 * The kinds of values that an option can have. valibot judges a typed value, wherever it came from; a flag
 * or an environment variable is text and is turned into that type first, strictly: `""`, `"1e3"`, `"0x10"`
 * and `"80 "` are not numbers, so no NaN and no surprise gets as far as a port.
 */
import { isIP } from "node:net";
import * as v from "valibot";
import { type Duration, toMs } from "../../otp/time/duration.js";
import { MAX_TIMER_MS } from "../limits.js";

/** `In` is what a file or a protocol may write, `Out` what the program works with. */
export interface Kind<In, Out> {
  readonly schema: v.GenericSchema<In, Out>;
  /** Ends the sentence "expected …". */
  readonly expected: string;
  /** The typed value that a text stands for; text that stands for none is returned as it is, for `schema` to refuse. */
  readonly fromText: (text: string) => unknown;
  /** As it is shown to people. */
  readonly show: (value: Out) => string;
  /** The words among the values, for suggestions. */
  readonly words: readonly string[];
  /** A path: relative ones begin at the folder of the file, or at the working directory. */
  readonly isPath: boolean;
}

/** A whole number from `least` to `most`, both included. */
export function integer(least: number, most: number): Kind<number, number> {
  const schema = v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
  return kind({ schema, expected: `a whole number from ${least} to ${most}`, fromText: numberFrom });
}

/** `"auto"`, or a whole number from `least` to `most`. */
export function autoOr(least: number, most: number): Kind<number | "auto", number | "auto"> {
  const number = integer(least, most);
  const schema = v.union([v.literal("auto"), number.schema]);
  return kind({ schema, expected: `auto, or ${number.expected}`, fromText: numberFrom, words: ["auto"] });
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: Word[]): Kind<Word, Word> {
  return kind({ schema: v.picklist(words), expected: `one of ${words.join(", ")}`, words });
}

/** Text of this form. */
export function text(form: RegExp, expected: string): Kind<string, string> {
  return kind({ schema: v.pipe(v.string(), v.regex(form)), expected });
}

/** An IP address or the name of a host. Brackets belong to URLs and are refused. */
export function host(): Kind<string, string> {
  const schema = v.pipe(v.string(), v.check(isHost));
  return kind({ schema, expected: "an IP address (IPv6 without brackets) or a host name" });
}

/** A path of a file or socket; it is made absolute by whoever reads it. */
export function path(): Kind<string, string> {
  const schema = v.pipe(
    v.string(),
    v.check((value) => value !== "" && !value.includes("\0")),
  );
  return kind({ schema, expected: "a path", isPath: true });
}

/** A duration of at least `least` milliseconds; read as milliseconds. */
export function duration(least: 0 | 1): Kind<Duration, number> {
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
    v.minValue(least),
    v.maxValue(MAX_TIMER_MS),
  );
  const above = least === 0 ? "" : " over 0";
  const expected = `a duration${above} up to 24 days: milliseconds, or a number with ms, s, m or h such as 2m`;
  return kind({ schema, expected, fromText: numberFrom, show: showDuration });
}

/** The milliseconds that a text stands for, such as `25s` or `1500`; `undefined`: none. */
export function durationOf(text: string): number | undefined {
  const { schema, fromText } = duration(0);
  const { success, output } = v.safeParse(schema, fromText(text));
  return success ? output : undefined;
}

/** Milliseconds in the largest unit that needs no fraction. */
export function showDuration(ms: number): string {
  const units = [["h", 3_600_000] as const, ["m", 60_000] as const, ["s", 1000] as const];
  const unit = units.find(([, length]) => ms > 0 && ms % length === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

type Given<In, Out> = Partial<Kind<In, Out>> & Pick<Kind<In, Out>, "schema" | "expected">;

function kind<In, Out>(given: Given<In, Out>): Kind<In, Out> {
  return { fromText: (value) => value, show: String, words: [], isPath: false, ...given };
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
  // A last label of digits alone is a mistyped IPv4 address, never a name.
  return value.length <= 253 && wellFormed && !/^\d+$/.test(labels.at(-1)!);
}

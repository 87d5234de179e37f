/** The query of a GET: known names, each once, whole numbers and listed words. What is wrong says what is right. */
import { didYouMean } from "../../config/config.js";

/** Values by name. */
export type Query = ReadonlyMap<string, string>;

/** What was asked for cannot be meant: the sentence says what can. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** Longer texts are cut where a refusal quotes them. */
const QUOTED = 80;

/** @throws QueryError for a name that is not among `names`, or is there twice */
export function readQuery(url: string, names: readonly string[]): Query {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (!names.includes(name)) {
      const hint = didYouMean(name, names) || (names.length > 0 ? `: known are ${names.join(", ")}` : "");
      throw new QueryError(`unknown query name ${quoted(name)}${hint}`);
    }
    if (query.has(name)) throw new QueryError(`${name} is given twice`);
    query.set(name, value);
  }
  return query;
}

/** @throws QueryError unless it is missing or a whole number of these: no sign, exponent or other base */
export function integerOf<T>(
  query: Query,
  name: string,
  least: number,
  most: number,
  missing: T,
): number | T {
  const text = query.get(name);
  if (text === undefined) return missing;
  const number = /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new QueryError(`${name} must be a whole number from ${least} to ${most}`);
}

/** @throws QueryError unless it is missing or one of `words` */
export function wordOf<const Word extends string>(
  query: Query,
  name: string,
  words: readonly Word[],
  missing: NoInfer<Word>,
): Word {
  const text = query.get(name) ?? missing;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const hint = didYouMean(text, words) || `: one of ${words.join(", ")}`;
  throw new QueryError(`${name} cannot be ${quoted(text)}${hint}`);
}

/** A text that something is held against. @throws QueryError when it is empty or longer than anything could be */
export function textOf(query: Query, name: string): string | undefined {
  const text = query.get(name);
  if (text === undefined || (text !== "" && text.length <= 200)) return text;
  throw new QueryError(`${name} must be a text of 1 to 200 characters`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, QUOTED));
}

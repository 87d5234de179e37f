/** Query string of a GET: known names, each once; integers and listed words. An error says what is allowed. */
import { didYouMean } from "../../config/config.js";

/** Values by name. */
export type Query = ReadonlyMap<string, string>;

/** An invalid query; answered with 400. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** Characters of a text that an error quotes. */
const MAX_QUOTED = 80;

/** @throws QueryError for a name that is not among `names`, or is given twice */
export function readQuery(url: string, names: readonly string[]): Query {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (!names.includes(name)) {
      const hint =
        didYouMean(name, names) || (names.length > 0 ? `: known names are ${names.join(", ")}` : "");
      throw new QueryError(`unknown query name ${quoted(name)}${hint}`);
    }
    if (query.has(name)) throw new QueryError(`${name} is given twice`);
    query.set(name, value);
  }
  return query;
}

/** @throws QueryError unless it is missing or a whole number in this range, in decimal digits only */
export function integerOf<T>(query: Query, name: string, min: number, max: number, fallback: T): number | T {
  const text = query.get(name);
  if (text === undefined) return fallback;
  const number = /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new QueryError(`${name} must be a whole number from ${min} to ${max}`);
}

/** @throws QueryError unless it is missing or one of `words` */
export function wordOf<const Word extends string>(
  query: Query,
  name: string,
  words: readonly Word[],
  fallback: NoInfer<Word>,
): Word {
  const text = query.get(name) ?? fallback;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const hint = didYouMean(text, words) || `: one of ${words.join(", ")}`;
  throw new QueryError(`${name} cannot be ${quoted(text)}${hint}`);
}

/** A text to filter by. @throws QueryError when it is empty or longer than 200 characters */
export function textOf(query: Query, name: string): string | undefined {
  const text = query.get(name);
  if (text === undefined || (text !== "" && text.length <= 200)) return text;
  throw new QueryError(`${name} must be a text of 1 to 200 characters`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_QUOTED));
}

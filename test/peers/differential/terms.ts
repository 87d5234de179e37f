/** Formats shared by both languages: values as Erlang terms, and a line of a trace. */

/** An exit reason; `{ shutdown }` is the tuple. */
export type Reason = string | { readonly shutdown: string };

/** A value in Erlang's external term format: strings are atoms, objects maps, `{ shutdown }` alone is the tuple. */
export function toErlang(value: unknown): Buffer {
  return Buffer.from(`\x83${term(value)}`, "latin1");
}

/** Its bytes, as characters: strings are put together faster than buffers. */
function term(value: unknown): string {
  if (typeof value === "number") return headed(98, value);
  if (Array.isArray(value))
    return value.length === 0 ? "\x6a" : `${headed(108, value.length)}${value.map(term).join("")}\x6a`;
  if (typeof value !== "object" || value === null) return atom(String(value));
  const entries = Object.entries(value);
  const flat = entries.map(([key, inner]) => atom(key) + term(inner)).join("");
  const isTuple = entries.length === 1 && entries[0]?.[0] === "shutdown";
  return isTuple ? `\x68\x02${flat}` : headed(116, entries.length) + flat;
}

/** A tag and four bytes. */
function headed(tag: number, number: number): string {
  return String.fromCharCode(tag, ...[24, 16, 8, 0].map((shift) => (number >>> shift) & 255));
}

function atom(word: string): string {
  return `\x77${String.fromCharCode(word.length)}${word}`;
}

/** Something that happened. */
export interface Entry {
  readonly step: number;
  readonly time: number;
  /** The process whose business it is: `s1#1`. */
  readonly group: string;
  /** Whether it is the end of a process whose supervisor is dead: such ends come in any order. */
  readonly orphan: boolean;
  readonly line: string;
}

/** `step|time|group|attached or orphan|line` */
export function parseEntry(text: string): Entry {
  const [step, time, group = "", kind, ...line] = text.split("|");
  return { step: Number(step), time: Number(time), group, orphan: kind === "orphan", line: line.join("|") };
}

/**
 * Reads interfaces, functions and constants of a source file with their comments. It relies on the style of this
 * repository, which the formatter keeps: a member begins on a line of its own, and its comment stands above it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Documented {
  /** `send(frame: Out): boolean`. */
  readonly signature: string;
  /** The comment as one text, its tags as sentences. */
  readonly doc: string;
}

export class Source {
  readonly #path: string;
  readonly #text: string;

  constructor(root: string, path: string) {
    this.#path = path;
    this.#text = readFileSync(join(root, path), "utf8");
  }

  /** Members of an interface, or of an object that is a constant. @throws Error when there is none of that name */
  members(name: string): Documented[] {
    const head = new RegExp(`^(?:export )?(?:interface|const) ${name}\\b`, "m").exec(this.#text);
    if (!head) throw this.#missing(name);
    const begin = this.#text.indexOf("{\n", this.#bodyFrom(head.index)) + 2;
    const end = /^\}/m.exec(this.#text.slice(begin))?.index ?? 0;
    return membersIn(this.#text.slice(begin, begin + end));
  }

  /** A function with all its overloads. @throws Error when there is none of that name */
  functions(name: string): Documented {
    const found = [
      ...this.#text.matchAll(new RegExp(`^export function ${name}\\b[\\s\\S]*?(?:;$| \\{$)`, "gm")),
    ];
    const [first] = found;
    if (!first) throw this.#missing(name);
    // Of overloads the last one is the implementation, which callers do not see.
    const seen = found.length > 1 ? found.slice(0, -1) : found;
    const signatures = seen.map(([text]) =>
      oneLine(text.replace(/^export function /, "").replace(/[;{]$/, "")),
    );
    return { signature: signatures.join("\n"), doc: docBefore(this.#text, first.index) };
  }

  /** A type, or a class as its constructor is called. @throws Error when there is none of that name */
  declared(name: string): Documented {
    const head = new RegExp(`^export (?:type|class) ${name}\\b`, "m").exec(this.#text);
    if (!head) throw this.#missing(name);
    const rest = this.#text.slice(head.index);
    const doc = docBefore(this.#text, head.index);
    if (head[0].startsWith("export type")) {
      const end = /;$/m.exec(rest)?.index ?? rest.length;
      return { signature: oneLine(rest.slice("export ".length, end)).replace("= |", "="), doc };
    }
    return { signature: `new ${name}${/^ {2}constructor(\(.*\)) \{$/m.exec(rest)?.[1] ?? "()"}`, doc };
  }

  /** The comment of an interface. */
  comment(name: string): string {
    const head = new RegExp(`^export interface ${name}\\b`, "m").exec(this.#text);
    if (!head) throw this.#missing(name);
    return docBefore(this.#text, head.index);
  }

  /** Type parameters and `extends` may have braces: the body begins where a line ends in one outside of angle brackets. */
  #bodyFrom(at: number): number {
    let depth = 0;
    for (let index = at; index < this.#text.length; index++) {
      const char = this.#text[index];
      if (char === "<") depth++;
      // An arrow is no bracket.
      else if (char === ">" && this.#text[index - 1] !== "=") depth--;
      else if (char === "{" && depth === 0) return index;
    }
    throw this.#missing("body");
  }

  #missing(name: string): Error {
    return new Error(`${this.#path} has no ${name}: scripts/docs/reference/pages.ts names it`);
  }
}

function membersIn(body: string): Documented[] {
  const found: Documented[] = [];
  let comment = "";
  let member = "";
  for (const line of body.split("\n")) {
    if (member === "" && /^ {2}(\/\*\*| \*)/.test(line)) {
      comment = line.startsWith("  /**") ? line : `${comment}\n${line}`;
    } else if (line.trim() !== "") {
      member += `${member === "" ? "" : " "}${line.trim()}`;
      if (!/[;,]$/.test(line) || depthOf(member) > 0) continue;
      found.push({
        signature: oneLine(member.replace(/^readonly /, "").replace(/[;,]$/, "")),
        doc: docText(comment),
      });
      comment = member = "";
    }
  }
  return found;
}

function depthOf(text: string): number {
  return [...text.replaceAll("=>", "")].reduce(
    (depth, char) => depth + ("([{<".includes(char) ? 1 : ")]}>".includes(char) ? -1 : 0),
    0,
  );
}

function docBefore(text: string, at: number): string {
  const before = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n$/.exec(text.slice(0, at));
  return docText(before?.[0] ?? "");
}

/** `NoInfer` only steers the compiler. */
function oneLine(text: string): string {
  return text
    .replace(/NoInfer<(\w+)>/g, "$1")
    .replace(/\s+/g, " ")
    .replace(/([(<{]) /g, (_, open: string) => (open === "{" ? "{ " : open))
    .replace(/,? ([)>])/g, "$1")
    .trim();
}

const TAGS: readonly (readonly [RegExp, string])[] = [
  [/\s*@returns /g, " Returns "],
  [/\s*@throws /g, " Throws "],
  [/\s*@param (\w+) /g, " `$1`: "],
  [/\s*@typeParam (\w+) /g, " `$1`: "],
];

/** Tags begin a sentence of their own. */
export function docText(comment: string): string {
  const plain = comment
    .replace(/^\s*\/\*\*/, "")
    .replace(/\*\/\s*$/, "")
    .replace(/\n\s*\* ?/g, "\n")
    .replace(/([^.:;\s])(\s*@(?:returns|throws|param))/g, "$1.$2");
  const text = TAGS.reduce((result, [tag, words]) => result.replace(tag, words), plain);
  const sentence = text.replace(/\s+/g, " ").trim();
  return sentence === "" || /[.:;!?)]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** Code blocks and dialogues of the guide. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const GUIDE = resolve(import.meta.dirname, "../../guide");

export interface Page {
  readonly name: string;
  readonly text: string;
  /** Code by file name. */
  readonly files: ReadonlyMap<string, string>;
  readonly dialogues: readonly Dialogue[];
}

export interface Dialogue {
  /** The file whose protocol is served. */
  readonly file: string;
  readonly lines: readonly Line[];
}

/** `>` the client sends, `<` it gets, `+` time passes, `!` the server closes. */
export interface Line {
  readonly kind: ">" | "<" | "+" | "!";
  readonly text: string;
}

export function readPages(): Page[] {
  return readdirSync(GUIDE)
    .filter((name) => name.endsWith(".md"))
    .map((name) => {
      const text = readFileSync(join(GUIDE, name), "utf8");
      const blocks = [...text.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)];
      return {
        name,
        text,
        files: new Map(
          blocks.flatMap(([, language, , code = ""]) =>
            language === "ts" ? [[/^\/\/ (\S+)/.exec(code)?.[1] ?? "", code] as const] : [],
          ),
        ),
        dialogues: blocks.flatMap(([, language, file = "", code = ""]) =>
          language === "dialogue" ? [{ file, lines: code.trimEnd().split("\n").map(readLine) }] : [],
        ),
      };
    });
}

function readLine(line: string): Line {
  const [, kind, text] = /^([><+!]) (.*)$/.exec(line) ?? [];
  if (kind === undefined || text === undefined) throw new Error(`not a line of a dialogue: ${line}`);
  return { kind: kind as Line["kind"], text };
}

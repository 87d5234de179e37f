/** Places in the user's files: of a compile error, of an exception, of a position in compiled code. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Message } from "esbuild";
import { show } from "../options/value.js";
import type { UserModule, UserModules } from "./user-module.js";

export type MappedModule = Pick<UserModule, "path" | "url" | "map">;

/** Line and column begin with 1. */
export interface Position {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Maps positions in compiled modules to the user's files. A source map is parsed when it is first asked. */
export class SourcePositions {
  readonly #modules = new Map<string, MappedModule>();
  readonly #maps = new Map<MappedModule, SourceMap>();

  constructor(modules: readonly MappedModule[]) {
    // Scripts are named by URL in ES modules, by path in CommonJS, and by URL again in the inspector.
    for (const module of modules) this.#modules.set(module.url, module).set(module.path, module);
  }

  find(script: string, line: number, column: number): Position | undefined {
    const module = this.#modules.get(script);
    if (module === undefined) return undefined;
    const entry = this.#mapOf(module).findEntry(line - 1, column - 1);
    if (!("originalLine" in entry) || !entry.originalSource.startsWith("file:")) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    return { path: fileURLToPath(originalSource), line: originalLine + 1, column: originalColumn + 1 };
  }

  #mapOf(module: MappedModule): SourceMap {
    const known = this.#maps.get(module);
    if (known) return known;
    const payload = JSON.parse(Buffer.from(module.map, "base64").toString()) as SourceMapPayload;
    const map = new SourceMap(payload);
    this.#maps.set(module, map);
    return map;
  }
}

/** Place and text of esbuild's first error, in one line. */
export function compileError(error: unknown, label: string): string {
  const first = (error as { errors?: readonly Message[] }).errors?.[0];
  if (first === undefined) return `${label}: ${thrownReason(error)}`;
  const { text, location } = first;
  if (location === null) return `${label}: ${text}`;
  // The error may be in a file that this file imports. Its path is shown relative to the working directory, like this one's.
  const file = join(dirname(label), location.file);
  return `${file}:${location.line}:${location.column + 1}: ${text}`;
}

/** Place in the user's files at which an error was thrown, taken from its stack; the label when there is none. */
export function thrownAt(error: unknown, { entry, modules }: UserModules, label: string): string {
  const stack = error instanceof Error ? String(error.stack) : "";
  const positions = new SourcePositions(modules);
  const found = modules
    .flatMap(({ path, url }) => [firstPosition(stack, url), firstPosition(stack, path)])
    .filter((position) => position !== undefined)
    .sort((a, b) => a.index - b.index)[0];
  const position = found && positions.find(found.script, found.line, found.column);
  if (position === undefined) return label;
  const { path, line, column } = position;
  return `${join(dirname(label), relative(dirname(entry), path))}:${line}:${column}`;
}

/** Where a script is first named with a position. A syntax error has only its line. */
function firstPosition(stack: string, script: string) {
  for (
    let index = stack.indexOf(`${script}:`);
    index !== -1;
    index = stack.indexOf(`${script}:`, index + 1)
  ) {
    const match = /^:(\d+)(?::(\d+))?/.exec(stack.slice(index + script.length));
    if (match) return { index, script, line: Number(match[1]), column: Number(match[2] ?? 1) };
  }
  return undefined;
}

/** The thrown value, in one short line. */
export function thrownReason(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${show(error)}`;
  return `${error.name}: ${error.message}`.split("\n")[0]!.slice(0, 300);
}

/** What is wrong with a user's module, in one line that begins with the place: a compile error, or an exception. */
import { dirname, join, relative } from "node:path";
import type { Message } from "esbuild";
import { show } from "../options/value.js";
import { SourcePositions } from "./positions.js";
import type { UserModules } from "./user-module.js";

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

/** @param ms the deadline */
export function notLoaded(label: string, ms: number): string {
  return `${label}: is not loaded after ${ms / 1000} s: does it await something at its top level, or loop?`;
}

/** The thrown value, in one short line. */
export function thrownReason(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${show(error)}`;
  return `${error.name}: ${error.message}`.split("\n")[0]!.slice(0, 300);
}

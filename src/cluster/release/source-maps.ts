/** Stack traces of a bundled protocol, mapped to the user's files and lines when a stack is read. */
import { SourceMap } from "node:module";
import { relative, resolve } from "node:path";
import type { ProtocolModule } from "./protocol-module.js";

type Bundled = NonNullable<ProtocolModule["bundled"]>;

/** Maps a position in the bundle (line and column from 1) to the user's file: `my-protocol.ts:12:3`. */
export function sourcePositions({
  map,
  folder,
}: Bundled): (line: number, column: number) => string | undefined {
  const sources = new SourceMap(JSON.parse(map));
  const cwd = workingFolder(folder);
  return (line, column) => {
    const entry = sources.findEntry(line - 1, column - 1);
    if (!("originalLine" in entry)) return undefined;
    const file = relative(cwd, resolve(folder, entry.originalSource));
    return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  };
}

/** Where positions are relative to; the folder of the protocol once the working directory has been deleted. */
function workingFolder(instead: string): string {
  try {
    return process.cwd();
  } catch {
    return instead;
  }
}

/** Maximum length of an error's message in its stack. */
const MAX_MESSAGE = 100_000;

/** Maps all stack traces of this OS process from now on. Must not throw: the exception would replace the stack that is read. */
export function mapStackTraces(bundled: Bundled): void {
  const position = sourcePositions(bundled);
  const lineOf = (frame: NodeJS.CallSite): string => {
    const text = String(frame);
    if (frame.getScriptNameOrSourceURL?.() !== bundled.name) return `    at ${text}`;
    const found = position(frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1);
    if (found === undefined) return `    at ${text}`;
    return `    at ${text.replace(/\(?[^()\s]*\.bundle:\d+:\d+\)?/, text.includes("(") ? `(${found})` : found)}`;
  };
  Error.prepareStackTrace = (error, frames) =>
    [textOf(() => error), ...frames.map((frame) => textOf(() => lineOf(frame)))].join("\n");
}

function textOf(read: () => unknown): string {
  try {
    return String(read()).slice(0, MAX_MESSAGE);
  } catch {
    return "unprintable";
  }
}

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
  return (line, column) => {
    const entry = sources.findEntry(line - 1, column - 1);
    if (!("originalLine" in entry)) return undefined;
    const file = relative(process.cwd(), resolve(folder, entry.originalSource));
    return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  };
}

/** Maps all stack traces of this OS process from now on. */
export function mapStackTraces(bundled: Bundled): void {
  const position = sourcePositions(bundled);
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.map((frame) => {
      const text = String(frame);
      if (frame.getScriptNameOrSourceURL?.() !== bundled.name) return `    at ${text}`;
      const found = position(frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1);
      if (found === undefined) return `    at ${text}`;
      return `    at ${text.replace(/\(?[^()\s]*\.bundle:\d+:\d+\)?/, text.includes("(") ? `(${found})` : found)}`;
    });
    return `${error}\n${lines.join("\n")}`;
  };
}

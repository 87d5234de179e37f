/** Stacks of a bundled protocol, with the files and lines that its author wrote. Made only when a stack is read. */
import { SourceMap } from "node:module";
import { relative, resolve } from "node:path";
import type { ProtocolModule } from "./release.js";

/** From now on, stacks in this OS process speak of the user's files. */
export function mapStacks({ name, map, folder }: NonNullable<ProtocolModule["bundled"]>): void {
  const sources = new SourceMap(JSON.parse(map));
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.map((frame) => {
      const text = String(frame);
      if (frame.getScriptNameOrSourceURL?.() !== name) return `    at ${text}`;
      const entry = sources.findEntry((frame.getLineNumber() ?? 1) - 1, (frame.getColumnNumber() ?? 1) - 1);
      if (!("originalLine" in entry)) return `    at ${text}`;
      const file = relative(process.cwd(), resolve(folder, entry.originalSource));
      const place = `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
      return `    at ${text.replace(/\(?[^()\s]*\.bundle:\d+:\d+\)?/, text.includes("(") ? `(${place})` : place)}`;
    });
    return `${error}\n${lines.join("\n")}`;
  };
}

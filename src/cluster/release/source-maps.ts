/** Stack traces of the user's modules, mapped to the author's files and lines when a stack is read. */
import { dirname, relative } from "node:path";
import { type Position, SourcePositions } from "../../config/modules/positions.js";
import type { UserModules } from "../../config/modules/user-module.js";

/** `my-protocol.ts:12:3`, relative to the working directory; in full once that has been deleted. */
export function showPosition({ path, line, column }: Position, folder = workingFolder()): string {
  return `${folder === undefined ? path : relative(folder, path)}:${line}:${column}`;
}

function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** Maximum length of an error's message in its stack. */
const MAX_MESSAGE = 100_000;

/** Maps all stack traces of this OS process from now on. Must not throw: the exception would replace the stack that is read. */
export function mapStackTraces(protocols: readonly UserModules[]): void {
  const [first] = protocols;
  if (first === undefined) return;
  const positions = new SourcePositions(protocols.flatMap(({ modules }) => modules));
  const folder = workingFolder() ?? dirname(first.entry);
  const lineOf = (frame: NodeJS.CallSite): string => {
    const text = `    at ${frame}`;
    const script = frame.getScriptNameOrSourceURL?.() ?? "";
    const [line, column] = [frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1];
    const found = positions.find(script, line, column);
    if (found === undefined) return text;
    return text.replace(`${script}:${line}:${column}`, () => showPosition(found, folder));
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

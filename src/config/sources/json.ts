/**
 * JSON files with line and column of every key, which JSON.parse does not report.
 */

import type { Locate } from "../listeners/place.js";
import { badFile, type Source } from "./file-text.js";
import { jsonError } from "./module.js";

/** @throws ConfigError with line and column of the mistake. */
export async function parseJson(source: Source): Promise<unknown> {
  try {
    return JSON.parse(source.text);
  } catch (error) {
    throw (await jsonError(source)) ?? badFile(`${source.label}: ${(error as Error).message}`);
  }
}

/** An object or array that is being scanned. */
interface Container {
  /** `listeners[1].tls`; of the outermost object empty. */
  readonly path: string;
  /** Keys so far, with their offsets; `undefined` in an array. */
  readonly keys: Map<string, number> | undefined;
  /** Path of the value that comes next. */
  next: string;
  index: number;
}

/** Nesting up to which places are known: no option is deeper, and paths of 1000 keys each would fill the memory. */
const MAX_DEPTH = 8;

/**
 * Places of all keys and array elements by path (`port`, `listeners[1].tls.key`), as `file:line:col`.
 * @param source valid JSON.
 * @throws ConfigError when a key occurs twice in one object: JSON.parse silently takes the last.
 */
export function keyPlaces({ text, label }: Source): Locate {
  const offsets = new Map<string, number>();
  const placeAt = (offset: number) => {
    const lines = text.slice(0, offset).split("\n");
    return `${label}:${lines.length}:${lines.at(-1)!.length + 1}`;
  };
  const open: Container[] = [];
  let depth = 0;
  for (const { 0: token, 1: literal, 2: colon, index: offset } of text.matchAll(TOKENS)) {
    if (token === "}" || token === "]") {
      if (depth-- <= MAX_DEPTH) open.pop();
      continue;
    }
    const container = depth <= MAX_DEPTH ? open.at(-1) : undefined;
    if (container !== undefined && token === ",") {
      container.index++;
    } else if (container?.keys !== undefined && literal !== undefined && colon !== undefined) {
      const key = JSON.parse(literal) as string;
      const before = container.keys.get(key);
      if (before !== undefined)
        throw badFile(`${placeAt(offset)}: key ${literal} is given twice: first at ${placeAt(before)}`);
      container.keys.set(key, offset);
      container.next = container.path === "" ? key : `${container.path}.${key}`;
      offsets.set(container.next, offset);
    } else if (container !== undefined && container.keys === undefined) {
      container.next = `${container.path}[${container.index}]`;
      offsets.set(container.next, offset);
    }
    if (token !== "{" && token !== "[") continue;
    if (++depth > MAX_DEPTH) continue;
    const keys = token === "{" ? new Map<string, number>() : undefined;
    open.push({ path: container?.next ?? "", keys, next: "", index: 0 });
  }
  return (path) => (offsets.has(path) ? placeAt(offsets.get(path)!) : label);
}

/** Strings, with the colon that follows a key, brackets, commas, and numbers and words. */
const TOKENS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\],]|[^\s"{}[\],:]+/g;

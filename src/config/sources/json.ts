/**
 * JSON files with line and column of every key, which JSON.parse does not report.
 */

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

/**
 * Places of the keys of the outermost object, as `file:line:col`.
 * @param source valid JSON.
 * @throws ConfigError when a key occurs twice: JSON.parse silently takes the last.
 */
export function keyPlaces({ text, label }: Source): (key: string) => string {
  const offsets = new Map<string, number>();
  const placeAt = (offset: number) => {
    const lines = text.slice(0, offset).split("\n");
    return `${label}:${lines.length}:${lines.at(-1)!.length + 1}`;
  };
  let depth = 0;
  for (const { 0: token, 1: literal, 2: colon, index } of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    if (literal === undefined || colon === undefined || depth !== 1) continue;
    const key = JSON.parse(literal) as string;
    const before = offsets.get(key);
    if (before !== undefined) {
      throw badFile(`${placeAt(index)}: key ${literal} is given twice: first at ${placeAt(before)}`);
    }
    offsets.set(key, index);
  }
  return (key) => (offsets.has(key) ? placeAt(offsets.get(key)!) : label);
}

/** Strings, with the colon that follows a key, and brackets. */
const TOKENS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g;

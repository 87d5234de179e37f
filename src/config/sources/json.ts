/**
 * JSON with places: JSON.parse says at best an offset, and nothing at all about values of the wrong kind.
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
 * Where the keys of the outermost object stand, as `file:line:col`.
 * @param source valid JSON.
 * @throws ConfigError when a key is there twice, of which JSON.parse silently takes the last.
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

/** Strings, with the colon after them if they are keys, and what changes the depth. */
const TOKENS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g;

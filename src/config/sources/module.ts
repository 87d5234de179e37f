/**
 * Configuration files that are modules, JavaScript or TypeScript: bundled by bundle.ts and imported from a data
 * URL. So an edited file is read again with its imports, where Node would keep the old modules for ever.
 */
import { basename } from "node:path";
import type { ConfigError } from "../errors.js";
import { bundle, compileError, thrownAt, thrownReason } from "./bundle.js";
import { badFile, type Source } from "./file-text.js";

/** Makes the URL of every load unique: for an equal URL Node returns the module of the previous load. */
let loads = 0;

/**
 * The default export.
 * @throws ConfigError when the file cannot be compiled, throws, or has no default export.
 */
export async function importDefault(source: Source): Promise<unknown> {
  const { code, map } = await bundle(source.path, source.label).catch((error: Error) => {
    throw badFile(error.message);
  });
  const text = Buffer.from(`${code}//${++loads}`).toString("base64");
  const url = `data:text/javascript;base64,${text}`;
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await import(/* @vite-ignore */ url);
  } catch (error) {
    throw badFile(`${thrownAt(error, url, map, source.label)}: ${thrownReason(error)}`);
  }
  if ("default" in exports) return exports.default;
  throw badFile(`${source.label}: has no default export: write export default { port: 2222 }`);
}

/** Line, column and reason of a JSON syntax error; `undefined` when esbuild accepts the text. */
export async function jsonError({ text, label }: Source): Promise<ConfigError | undefined> {
  const { transform } = await import("esbuild");
  try {
    await transform(text, { loader: "json", logLevel: "silent", sourcefile: basename(label) });
  } catch (error) {
    return badFile(compileError(error, label));
  }
  return undefined;
}

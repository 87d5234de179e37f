/**
 * Configuration files that are modules, JavaScript or TypeScript. esbuild makes one module of the file and
 * all that it imports, which is then imported from memory: a container may have nowhere to write a temporary
 * file. JavaScript takes this way too: so its mistakes have line and column in every version of Node, and
 * after an edit it is read again, its neighbours included, where Node would keep the old modules for ever.
 */
import { basename } from "node:path";
import type { ConfigError } from "../errors.js";
import { bundle, compileError, thrownAt, thrownReason } from "./bundle.js";
import { badFile, type Source } from "./file-text.js";

/** Makes every load an address of its own, without which Node would give the module of the load before. */
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

/** Where and why a text is not JSON, or `undefined` when esbuild finds nothing wrong with it. */
export async function jsonError({ text, label }: Source): Promise<ConfigError | undefined> {
  const { transform } = await import("esbuild");
  try {
    await transform(text, { loader: "json", logLevel: "silent", sourcefile: basename(label) });
  } catch (error) {
    return badFile(compileError(error, label));
  }
  return undefined;
}

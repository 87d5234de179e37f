/**
 * Configuration files that are modules, JavaScript or TypeScript: compiled and run by `modules/`. An edited file is
 * read again with its imports, where Node would keep the old modules for ever.
 */
import { basename } from "node:path";
import type { ConfigError } from "../errors.js";
import { compileModules } from "../modules/compile.js";
import { compileError, thrownAt, thrownReason } from "../modules/failure-text.js";
import { importModules } from "../modules/load.js";
import type { UserModules } from "../modules/user-module.js";
import { badFile, type Source } from "./file-text.js";

/** Loads of a module so far. */
let loads = 0;

/**
 * The default export.
 * @param drover URL that `drover` stands for; `undefined` leaves that to Node
 * @throws ConfigError when the file cannot be compiled, throws, or has no default export.
 */
export async function importDefault(source: Source, drover?: string): Promise<unknown> {
  const query = loads++ === 0 ? "" : `?load=${loads}`;
  const modules = await compileModules(source.path, source.label, { query, drover }).catch((error: Error) => {
    throw badFile(error.message);
  });
  const exports = await runModule(modules, source.label, drover);
  if ("default" in exports) return exports.default;
  throw badFile(`${source.label}: has no default export: write export default { port: 2222 }`);
}

/** In a thread, which can be ended; where its values cannot leave the thread, it has at least been seen to end. */
async function runModule(
  modules: UserModules,
  label: string,
  drover: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  if (drover !== undefined) {
    const { runInThread } = await import("../modules/module-thread.js");
    const result = await runInThread(new URL("./main.js", drover), { modules, label });
    if (result !== "not_plain") {
      if ("wrong" in result) throw badFile(result.wrong);
      return result.exports;
    }
  }
  try {
    return await importModules(modules, true);
  } catch (error) {
    throw badFile(`${thrownAt(error, modules, label)}: ${thrownReason(error)}`);
  }
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

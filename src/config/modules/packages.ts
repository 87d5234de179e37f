/** Which files are the user's own modules and which belong to packages, and how a package is imported. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * Whether a file belongs to a package: it stays on disk and Node loads it. A linked workspace package lies outside of
 * `node_modules` and is the user's own; so is TypeScript anywhere, which Node does not load from `node_modules`.
 */
export function isPackageFile(path: string): boolean {
  return /[\\/]node_modules[\\/]/.test(path) && !/\.[cm]?tsx?$/.test(path);
}

/**
 * The specifier by which Node finds a package's file. esbuild finds more than Node does in an ES module, and there it is
 * the URL of the file: a subpath without extension in a package without `exports`, an alias of tsconfig, a relative path.
 * @param path where esbuild found it
 */
export function packageSpecifier(specifier: string, path: string, isRequire: boolean): string {
  if (isRequire) return specifier;
  const [, name] = /^(?![./])((?:@[^/]+\/)?[^/]+)/.exec(specifier) ?? [];
  const folder = `/node_modules/${name}/`;
  const end = path.lastIndexOf(folder);
  if (name === undefined || end === -1) return pathToFileURL(path).href;
  if (specifier === name || path.endsWith(`/${specifier}`)) return specifier;
  return hasExports(path.slice(0, end + folder.length)) ? specifier : pathToFileURL(path).href;
}

function hasExports(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(`${folder}package.json`, "utf8")).exports !== undefined;
  } catch {
    return false;
  }
}

/**
 * From where a starter project gets drover: from the registry where this package is from one, else from where this
 * package is from, or `npm install` would look in the registry for what is not there.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * `^0.1.0`, `file:/srv/drover-0.1.0.tgz`, `file:/srv/drover/`, `git+ssh://…`
 * @param folder of this package, with a trailing slash: a clone, or in a `node_modules`
 */
export function dependency(folder: string): string {
  const at = folder.indexOf("/node_modules/");
  if (at === -1) return `file:${folder}`;
  const project = folder.slice(0, at);
  const { version, name } = read(join(folder, "package.json")) ?? {};
  // What npm has installed; else what yarn or pnpm were asked for. A global installation has neither.
  const { packages } = read(join(project, "node_modules/.package-lock.json")) ?? {};
  const resolved = packages?.[folder.slice(at + 1, -1)]?.resolved;
  if (typeof resolved === "string")
    return isFromRegistry(resolved) ? `^${version}` : absolute(resolved, project, folder);
  const { dependencies, devDependencies } = read(join(project, "package.json")) ?? {};
  const wanted = dependencies?.[name] ?? devDependencies?.[name];
  if (typeof wanted !== "string") return `file:${folder}`;
  return /^[\w^~<>=*. |-]+$/.test(wanted) ? `^${version}` : absolute(wanted, project, folder);
}

/** Where npm has it from: `https://HOST/drover/-/drover-0.1.0.tgz`. */
function isFromRegistry(resolved: string): boolean {
  return /^https?:\/\/.*\/-\/[^/]+\.tgz$/.test(resolved);
}

/** With an absolute path for a relative one; a file that is gone is replaced by the installed folder. */
function absolute(specifier: string, base: string, folder: string): string {
  const path = /^(?:file:|link:|portal:)?((?:\.{0,2}\/).*)$/.exec(
    specifier.replace(/^file:(?![./])/, "file:./"),
  )?.[1];
  if (path === undefined) return specifier;
  const found = resolve(base, path);
  return `file:${existsSync(found) ? found : folder}`;
}

/** A package.json or lock file; `undefined` where there is none. */
function read(path: string): any {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

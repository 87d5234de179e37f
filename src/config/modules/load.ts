/**
 * Runs the user's modules: from memory, each under its own URL, so that it finds the files beside it; packages come
 * from disk, as Node resolves them from where the module is.
 */
import Module, { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type HookData, moduleHooks } from "./hooks.js";
import type { UserModule, UserModules } from "./user-module.js";
import { leaveRemovedDirectory } from "./working-directory.js";

const data: HookData = { drover: undefined, modules: {}, urls: {} };
let installed = false;

/**
 * The exports of the entry. Of CommonJS the default export is `module.exports`, or `exports.default` where a compiler
 * has made it of an ES module.
 * @param again whether modules that are loaded already are run again; ES modules are only under another URL
 */
export async function importModules(
  { entry, modules, drover }: UserModules,
  again = false,
): Promise<Readonly<Record<string, unknown>>> {
  for (const module of modules) {
    if (!again && data.modules[module.url]?.code === module.code) continue;
    data.modules[module.url] = module;
    data.urls[module.path] = module.url;
    delete loader._cache[module.path];
  }
  data.drover = drover;
  if (!HAS_SYNC_HOOKS) registerThread();
  if (!installed) {
    installed = true;
    if (HAS_SYNC_HOOKS) loader.registerHooks!(moduleHooks(data));
    answerRequire();
  }
  if (drover !== undefined) await cacheForRequire(drover);
  const { format, url } = own(entry)!;
  return format === "cjs" ? requireEntry(entry) : importEntry(url);
}

/** From a data URL: in a test runner that transforms modules, `import()` in this file would be its own. */
async function importEntry(url: string): Promise<Readonly<Record<string, unknown>>> {
  const text = `import * as entry from ${JSON.stringify(url)}; export { entry };`;
  return (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`)).entry;
}

function requireEntry(path: string): Readonly<Record<string, unknown>> {
  const exports = createRequire(path)(path);
  const keys = typeof exports === "object" && exports !== null ? Object.keys(exports) : undefined;
  // `exports.default = …` by hand: with nothing beside it, it cannot be the keys of a protocol or configuration.
  if (exports?.__esModule || keys?.join() === "default") return exports;
  return keys?.length === 0 ? {} : { default: exports };
}

// -- ES modules -----------------------------------------------------------------------------------------

/** The parts of Node's loader that its types leave out. */
interface Loader {
  readonly _cache: Record<string, object>;
  readonly _extensions: Record<string, (module: Compilable, filename: string) => void>;
  _resolveFilename(request: string, parent: { filename?: string } | undefined, ...rest: unknown[]): string;
  readonly registerHooks?: (hooks: object) => unknown;
  readonly register?: (url: string, options: object) => unknown;
}

interface Compilable {
  _compile(code: string, filename: string, format: string): void;
}

const loader = Module as unknown as Loader;

/**
 * Whether hooks run in this thread (`module.registerHooks`, no cost) rather than in a thread of their own
 * (`module.register`, 30 ms, deprecated in 26). Before these versions an imported CommonJS package gets a `require`
 * that fails for what it requires later.
 */
const HAS_SYNC_HOOKS = ((): boolean => {
  const [major, minor, patch] = process.versions.node.split(".").map(Number) as [number, number, number];
  if (loader.registerHooks === undefined) return false;
  if (major === 22) return minor > 22 || (minor === 22 && patch >= 3);
  if (major === 24) return minor > 11 || (minor === 11 && patch >= 1);
  return major >= 26;
})();

/** It gets a copy of the data, so it is registered anew for each load. */
function registerThread(): void {
  leaveRemovedDirectory();
  const text = `${moduleHooks}
let hooks;
export const initialize = (data) => { hooks = moduleHooks(data); };
export const resolve = (...args) => hooks.resolve(...args);
export const load = (...args) => hooks.load(...args);`;
  loader.register!(`data:text/javascript,${encodeURIComponent(text)}`, { data });
}

// -- CommonJS -------------------------------------------------------------------------------------------

const own = (path: string): UserModule | undefined => data.modules[data.urls[path] ?? ""];

/** `require` does not go through hooks everywhere: in Node 20 nowhere, in 22 not below an imported CommonJS module. */
function answerRequire(): void {
  const resolveFilename = loader._resolveFilename;
  loader._resolveFilename = function (this: unknown, request, parent, ...rest) {
    if (request === "drover" && data.drover !== undefined) return fileURLToPath(data.drover);
    if (own(request)) return request;
    const link = own(parent?.filename ?? "")?.links[request];
    return link ?? resolveFilename.call(this, request, parent, ...rest);
  };
  for (const [extension, load] of Object.entries(loader._extensions)) {
    if (extension === ".node") continue;
    loader._extensions[extension] = function (this: unknown, module, filename) {
      const found = own(filename);
      if (found === undefined) return load.call(this, module, filename);
      const code = `${found.code}\n//# sourceMappingURL=data:application/json;base64,${found.map}`;
      module._compile(code, filename, found.format === "esm" ? "module" : "commonjs");
    };
  }
}

/** `require("drover")` is the very module that `import` gives; Node 20 would warn of requiring an ES module. */
async function cacheForRequire(drover: string): Promise<void> {
  const filename = fileURLToPath(drover);
  if (loader._cache[filename]) return;
  const exports = await import(/* @vite-ignore */ drover);
  loader._cache[filename] = Object.assign(new Module(filename), { filename, exports, loaded: true });
}

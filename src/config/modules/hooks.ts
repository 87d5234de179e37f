/** Module hooks: what Node asks when a module is imported, answered for the user's modules from memory. */
import type { UserModule } from "./user-module.js";

export interface HookData {
  /** URL that `drover` stands for. */
  drover: string | undefined;
  /** By URL. */
  readonly modules: Record<string, UserModule>;
  /** URLs by path. */
  readonly urls: Record<string, string>;
}

interface Context {
  readonly parentURL?: string | undefined;
}

type Next<T> = (request: string, context?: any) => T;

/**
 * The hooks for `module.registerHooks`, and as text for `module.register`: so it must not use anything outside of
 * itself. What `next` returns, a promise or not, is passed on as it is.
 */
export function moduleHooks(data: HookData) {
  const { modules, urls } = data;
  const byPath = (path: string) => urls[path] ?? urls[path.replace(/\.([cm]?)js$/, ".$1ts")];
  const find = (specifier: string, parentURL: string | undefined): string | undefined => {
    if (modules[specifier]) return specifier;
    if (specifier.startsWith("/")) return urls[specifier];
    const parent = modules[parentURL ?? ""];
    if (parent === undefined) return undefined;
    const link = parent.links[specifier];
    if (link !== undefined) return urls[link];
    if (!/^\.\.?\//.test(specifier)) return undefined;
    return byPath(decodeURIComponent(new URL(specifier, parentURL).pathname));
  };
  const formats = { esm: "module", cjs: "commonjs" };
  return {
    resolve<T>(specifier: string, context: Context, next: Next<T>) {
      if (specifier === "drover" && data.drover !== undefined)
        return { url: data.drover, format: "module", shortCircuit: true };
      const url = find(specifier, context.parentURL);
      if (url === undefined) return next(specifier, context);
      return { url, format: formats[modules[url]!.format], shortCircuit: true };
    },
    load<T>(url: string, context: object, next: Next<T>) {
      const module = modules[url];
      if (module === undefined) return next(url, context);
      const source = `${module.code}\n//# sourceMappingURL=data:application/json;base64,${module.map}`;
      return { format: formats[module.format], source, shortCircuit: true };
    },
  };
}

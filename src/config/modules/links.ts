/** What the specifiers in the user's modules mean, as esbuild resolves them: tsconfig paths, `.js` for `.ts`. */
import type { Plugin } from "esbuild";
import { isPackageFile, packageSpecifier } from "./packages.js";

export type Target =
  | { readonly kind: "own"; readonly path: string }
  /** A native addon of the user's: only `require` loads it. */
  | { readonly kind: "addon"; readonly path: string }
  /** Left to Node under this specifier. */
  | { readonly kind: "package"; readonly specifier: string };

interface Import {
  readonly path: string;
  readonly kind: string;
  readonly importer: string;
}

export class Links {
  readonly #targets = new Map<string, Map<string, Target>>();

  add(by: Import, target: Target): void {
    const targets = this.#targets.get(by.importer) ?? new Map<string, Target>();
    this.#targets.set(by.importer, targets.set(keyOf(by), target));
  }

  /** `undefined` for what esbuild did not resolve: modules of Node, or what is not there. */
  find(by: Import): Target | undefined {
    return this.#targets.get(by.importer)?.get(keyOf(by));
  }

  /** The user's modules that a module imports or requires, by specifier. */
  ownOf(importer: string): Record<string, string> {
    const own: Record<string, string> = {};
    for (const [key, target] of this.#targets.get(importer) ?? [])
      if (target.kind === "own") own[key.slice(key.indexOf(" ") + 1)] = target.path;
    return own;
  }
}

/** `import` and `require` of one specifier may mean different files. */
const keyOf = ({ kind, path }: Import) => `${isRequire(kind) ? "require" : "import"} ${path}`;

export const isRequire = (kind: string): boolean => kind.startsWith("require");

/** Marks the questions of this plugin to esbuild, which come back to it. */
const ASKED = Symbol("asked");

/** Records what every specifier means, and keeps packages out of the bundle. */
export function recordLinks(links: Links, drover: string | undefined): Plugin {
  return {
    name: "record-links",
    setup: (build) => {
      build.onResolve({ filter: /.*/ }, async (args) => {
        const { path: specifier, kind, importer, resolveDir } = args;
        if (kind === "entry-point" || args.pluginData === ASKED) return undefined;
        if (kind === "require-resolve" || (specifier === "drover" && drover !== undefined))
          return { path: specifier, external: true };
        const asked = { kind, importer, resolveDir, with: args.with, pluginData: ASKED };
        const { path, errors, external, namespace } = await build.resolve(specifier, asked);
        // esbuild repeats the error, with its place.
        if (errors.length > 0 || external || namespace !== "file") return undefined;
        if (isPackageFile(path)) {
          const target = packageSpecifier(specifier, path, isRequire(kind));
          links.add(args, { kind: "package", specifier: target });
          return { path: target, external: true };
        }
        const isAddon = path.endsWith(".node");
        links.add(args, { kind: isAddon ? "addon" : "own", path });
        return isAddon ? { path, external: true } : undefined;
      });
    },
  };
}

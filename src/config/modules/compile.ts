/**
 * Compiles a user's module and those of the user's that it imports, each to a module of its own, in memory: a
 * container may have no writable directory. esbuild runs twice: as a bundler, which finds the modules and every mistake
 * in them, with line and column in every version of Node; then over each of them alone.
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions, BuildResult, Metafile, Plugin } from "esbuild";
import { compileError } from "./failure-text.js";
import { isRequire, Links, recordLinks } from "./links.js";
import type { UserModule, UserModules } from "./user-module.js";

/** Compile error of a user's file. `message` begins with the place: `my-protocol.ts:3:5: …`. */
export class CompileError extends Error {
  override readonly name = "CompileError";
}

let compiler: typeof import("esbuild") | undefined;

/** Stops esbuild's OS process, if it was started. */
export async function stopCompiler(): Promise<void> {
  await compiler?.stop();
}

export interface CompileOptions {
  /** URL that `drover` stands for. */
  readonly drover?: string | undefined;
  /** Appended to the modules' URLs: for an equal URL Node returns the module of the previous load. */
  readonly query?: string | undefined;
}

/**
 * @param path absolute
 * @param label name of the file in messages
 * @throws CompileError naming the place
 */
export async function compileModules(
  path: string,
  label: string,
  { drover, query = "" }: CompileOptions = {},
): Promise<UserModules> {
  compiler = await import("esbuild");
  try {
    return await new Compilation(compiler.build, dirname(path), drover, query).run(path);
  } catch (error) {
    throw new CompileError(compileError(error, label));
  }
}

/** Prefix of the modules that stand for CommonJS in the code of an ES module. */
const CJS = "require";

class Compilation {
  readonly #build: typeof import("esbuild").build;
  readonly #folder: string;
  readonly #drover: string | undefined;
  readonly #query: string;
  readonly #links = new Links();
  readonly #formats = new Map<string, UserModule["format"]>();
  /** Each file is read once, so that both runs see the same text. */
  readonly #texts = new Map<string, string>();

  constructor(
    build: typeof import("esbuild").build,
    folder: string,
    drover: string | undefined,
    query: string,
  ) {
    this.#build = build;
    this.#folder = folder;
    this.#drover = drover;
    this.#query = query;
  }

  async run(path: string): Promise<UserModules> {
    const metafile = await this.#findModules(path);
    const entryPoint = Object.values(metafile.outputs).find((output) => output.entryPoint)!.entryPoint!;
    for (const [name, { format }] of Object.entries(metafile.inputs)) {
      const file = this.#fileOf(name);
      if (this.#texts.has(file)) this.#formats.set(file, formatOf(file, format));
    }
    const ofFormat = (wanted: string) =>
      [...this.#formats].flatMap(([file, format]) => (format === wanted ? [file] : []));
    const modules = (
      await Promise.all([this.#compile(ofFormat("esm"), "esm"), this.#compile(ofFormat("cjs"), "cjs")])
    ).flat();
    return { entry: this.#fileOf(entryPoint), modules, drover: this.#drover };
  }

  async #findModules(path: string): Promise<Metafile> {
    const plugins = [recordLinks(this.#links, this.#drover), this.#reader((text) => text)];
    const options = this.#options("esm", plugins);
    const result = await this.#build({ ...options, entryPoints: [path], bundle: true, metafile: true });
    return result.metafile as Metafile;
  }

  /** A file of the metafile. With import attributes it is there again: `data.json with { type: 'json' }`. */
  #fileOf(name: string): string {
    return join(this.#folder, name.replace(/ with \{.*\}$/, ""));
  }

  async #compile(files: readonly string[], format: UserModule["format"]): Promise<UserModule[]> {
    if (files.length === 0) return [];
    const plugins =
      format === "esm" ? [this.#linker(), this.#reader(keepComputedImports)] : [this.#reader((text) => text)];
    const { outputFiles } = (await this.#build({
      ...this.#options(format, plugins),
      ...(format === "esm" && ES_MODULE),
      entryPoints: files.map((file, index) => ({ in: file, out: `${index}` })),
      bundle: format === "esm",
    })) as BuildResult & { outputFiles: NonNullable<BuildResult["outputFiles"]> };
    const output = new Map(outputFiles.map((file) => [file.path, file.text]));
    return files.map((file, index) => {
      const out = join(this.#folder, `${index}.js`);
      return {
        path: file,
        url: this.#urlOf(file),
        format,
        code: output.get(out)!,
        map: this.#absoluteMap(output.get(`${out}.map`)!),
        links: format === "cjs" ? this.#links.ownOf(file) : {},
      };
    });
  }

  #urlOf(file: string): string {
    return `${pathToFileURL(file).href}${this.#formats.get(file) === "esm" ? this.#query : ""}`;
  }

  /** Debuggers read the paths of a source map from the module, not from the folder that esbuild counts them from. */
  #absoluteMap(text: string): string {
    const map = JSON.parse(text) as { sources: string[] };
    map.sources = map.sources.map((source) =>
      source.startsWith(`${CJS}:`) ? source : pathToFileURL(resolve(this.#folder, source)).href,
    );
    return Buffer.from(JSON.stringify(map)).toString("base64");
  }

  #options(format: UserModule["format"], plugins: Plugin[]): BuildOptions {
    return {
      absWorkingDir: this.#folder,
      // Not written: the base of the paths in the source maps.
      outdir: this.#folder,
      allowOverwrite: true,
      write: false,
      sourcemap: "external",
      sourcesContent: false,
      platform: "node",
      format,
      target: "node20",
      logLevel: "silent",
      plugins,
    };
  }

  #reader(change: (text: string) => string): Plugin {
    return {
      name: "reader",
      setup: (build) => {
        build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
          if (!this.#texts.has(path)) this.#texts.set(path, readFileSync(path, "utf8"));
          return { contents: change(this.#texts.get(path)!), loader: "default" };
        });
      },
    };
  }

  /**
   * Leaves every import outside of the module. CommonJS is required by a stub in the module, so that esbuild's rules
   * for importing CommonJS hold: any property can be a named import.
   */
  #linker(): Plugin {
    return {
      name: "linker",
      setup: (build) => {
        build.onResolve({ filter: /.*/ }, (args) => {
          const { path, kind } = args;
          if (kind === "entry-point" || path.startsWith("data:")) return undefined;
          const external = (specifier: string) => ({ path: specifier, external: true });
          if (args.namespace === CJS) return external(path);
          if (path === "drover" && this.#drover !== undefined)
            return external(isRequire(kind) ? path : this.#drover);
          const target = this.#links.find(args);
          if (target === undefined || kind === "require-resolve") return external(path);
          if (target.kind === "package") return external(target.specifier);
          if (this.#formats.get(target.path) !== "esm") return { path: target.path, namespace: CJS };
          return external(isRequire(kind) ? target.path : this.#urlOf(target.path));
        });
        build.onLoad({ filter: /.*/, namespace: CJS }, ({ path, with: { type } }) =>
          type === "json"
            ? { contents: this.#texts.get(path)!, loader: "json" }
            : { contents: `module.exports = require(${JSON.stringify(path)});`, loader: "js" },
        );
      },
    };
  }
}

/** What ES modules of users may use of CommonJS as well. */
const ES_MODULE: BuildOptions = {
  define: { __filename: "import.meta.filename", __dirname: "import.meta.dirname" },
  banner: {
    js: `import { createRequire as __from } from "node:module"; const require = __from(import.meta.url);`,
  },
};

/** A module without import, export, `require` and `exports` is CommonJS, but for its name. */
function formatOf(file: string, format: string | undefined): UserModule["format"] {
  return format === "esm" || /\.m[jt]s$/.test(file) ? "esm" : "cjs";
}

/**
 * Import specifiers made of a relative path and expressions: esbuild would put every file that fits into the module.
 * The first run does that and so finds the files; in the second it must not recognize them.
 */
function keepComputedImports(text: string): string {
  return text.replace(COMPUTED_IMPORT, "$&String()+");
}

const COMPUTED_IMPORT =
  /\b(?:import|require)\s*\(\s*(?=`\.\.?\/[^`]*\$\{|"\.\.?\/[^"\n]*"\s*\+|'\.\.?\/[^'\n]*'\s*\+)/g;

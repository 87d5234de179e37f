/**
 * Configuration files that are modules, JavaScript or TypeScript. esbuild makes one module of the file and
 * all that it imports, which is then imported from memory: a container may have nowhere to write a temporary
 * file. JavaScript takes this way too: so its mistakes have line and column in every version of Node, and
 * after an edit it is read again, its neighbours included, where Node would keep the old modules for ever.
 */
import { SourceMap } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Message } from "esbuild";
import type { ConfigError } from "./errors.js";
import { badFile, type Source } from "./source.js";
import { show } from "./value.js";

/** Makes every load an address of its own, without which Node would give the module of the load before. */
let loads = 0;

/**
 * The default export.
 * @throws ConfigError when the file cannot be compiled, throws, or has no default export.
 */
export async function importDefault(source: Source): Promise<unknown> {
  const { code, map } = await bundle(source);
  const text = Buffer.from(`${code}//${++loads}`).toString("base64");
  const url = `data:text/javascript;base64,${text}`;
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await import(/* @vite-ignore */ url);
  } catch (error) {
    throw badFile(`${thrownAt(error, url, map, source.label)}: ${reasonOf(error)}`);
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
    return compileError(error, label);
  }
  return undefined;
}

async function bundle({ path, label }: Source): Promise<{ code: string; map: string }> {
  const { build } = await import("esbuild");
  const [url, file, folder] = [pathToFileURL(path).href, path, dirname(path)].map((text) =>
    JSON.stringify(text),
  );
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      absWorkingDir: dirname(path),
      // Nothing is written, but the source map counts its paths from here.
      outfile: join(dirname(path), "config.mjs"),
      allowOverwrite: true,
      write: false,
      bundle: true,
      sourcemap: "external",
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "silent",
      define: {
        "import.meta.url": url!,
        "import.meta.filename": file!,
        "import.meta.dirname": folder!,
        __filename: file!,
        __dirname: folder!,
      },
      // What is bundled from CommonJS still calls `require` for what Node brings.
      banner: {
        js: `import { createRequire as __from } from "node:module"; const require = __from(${url});`,
      },
    });
    const isMap = (output: { path: string }) => output.path.endsWith(".map");
    return { code: outputFiles.find((output) => !isMap(output))!.text, map: outputFiles.find(isMap)!.text };
  } catch (error) {
    throw compileError(error, label);
  }
}

function compileError(error: unknown, label: string): ConfigError {
  const first = (error as { errors?: readonly Message[] }).errors?.[0];
  if (first === undefined) return badFile(`${label}: ${reasonOf(error)}`);
  const { text, location } = first;
  if (location === null) return badFile(`${label}: ${text}`);
  // Shown from the working directory, like the file itself: it may be one that the file imports.
  const file = join(dirname(label), location.file);
  return badFile(`${file}:${location.line}:${location.column + 1}: ${text}`);
}

/** The place in the user's files where an error was thrown, as far as its stack tells. */
function thrownAt(error: unknown, url: string, map: string, label: string): string {
  const stack = error instanceof Error ? String(error.stack) : "";
  const at = stack.indexOf(`${url}:`);
  const position = at === -1 ? null : /^:(\d+):(\d+)/.exec(stack.slice(at + url.length));
  if (position === null) return label;
  const entry = new SourceMap(JSON.parse(map)).findEntry(Number(position[1]) - 1, Number(position[2]) - 1);
  if (!("originalLine" in entry)) return label;
  const { originalSource, originalLine, originalColumn } = entry;
  return `${join(dirname(label), originalSource)}:${originalLine + 1}:${originalColumn + 1}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${show(error)}`;
  return `${error.name}: ${error.message}`.split("\n")[0]!.slice(0, 300);
}

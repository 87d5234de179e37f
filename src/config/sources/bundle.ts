/**
 * Bundles a user's module and its imports with esbuild, in memory: a container may have no writable directory.
 * JavaScript is bundled too, so that its errors have line and column in every version of Node.
 */
import { SourceMap } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Message, Plugin } from "esbuild";
import { show } from "../options/value.js";

export interface Bundle {
  readonly code: string;
  /** The source map, as JSON. */
  readonly map: string;
}

/** Compile error of a user's file. `message` begins with the place: `my-protocol.ts:3:5: …`. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

let compiler: typeof import("esbuild") | undefined;

/** Stops esbuild's OS process, if it was started. */
export async function stopCompiler(): Promise<void> {
  await compiler?.stop();
}

/**
 * @param label name of the file in messages
 * @param replaced file URLs of packages, by name, that are imported from there instead of being bundled
 * @throws BundleError naming the place
 */
export async function bundle(
  path: string,
  label: string,
  replaced: Readonly<Record<string, string>> = {},
): Promise<Bundle> {
  compiler = await import("esbuild");
  const [url, file, folder] = [pathToFileURL(path).href, path, dirname(path)].map((text) =>
    JSON.stringify(text),
  );
  try {
    const { outputFiles } = await compiler.build({
      entryPoints: [path],
      absWorkingDir: dirname(path),
      // Not written: the base of the paths in the source map.
      outfile: join(dirname(path), "bundle.mjs"),
      allowOverwrite: true,
      write: false,
      bundle: true,
      sourcemap: "external",
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "silent",
      plugins: [replacing(replaced)],
      define: {
        "import.meta.url": url!,
        "import.meta.filename": file!,
        "import.meta.dirname": folder!,
        __filename: file!,
        __dirname: folder!,
      },
      // Bundled CommonJS modules call `require` for Node's own modules.
      banner: {
        js: `import { createRequire as __from } from "node:module"; const require = __from(${url});`,
      },
    });
    const isMap = (output: { path: string }) => output.path.endsWith(".map");
    return { code: outputFiles.find((output) => !isMap(output))!.text, map: outputFiles.find(isMap)!.text };
  } catch (error) {
    throw new BundleError(compileError(error, label));
  }
}

function replacing(replaced: Readonly<Record<string, string>>): Plugin {
  return {
    name: "replaced",
    setup: (build) => {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) => {
        return Object.hasOwn(replaced, path) ? { path: replaced[path]!, external: true } : undefined;
      });
    },
  };
}

/** Where and why esbuild refused a file, in one line. */
export function compileError(error: unknown, label: string): string {
  const first = (error as { errors?: readonly Message[] }).errors?.[0];
  if (first === undefined) return `${label}: ${thrownReason(error)}`;
  const { text, location } = first;
  if (location === null) return `${label}: ${text}`;
  // Relative to the working directory, like `label`; the error may be in an imported file.
  const file = join(dirname(label), location.file);
  return `${file}:${location.line}:${location.column + 1}: ${text}`;
}

/** Place in the user's files where an error was thrown, `file:line:col`; `label` if its stack does not tell. */
export function thrownAt(error: unknown, url: string, map: string, label: string): string {
  const stack = error instanceof Error ? String(error.stack) : "";
  const at = stack.indexOf(`${url}:`);
  const position = at === -1 ? null : /^:(\d+):(\d+)/.exec(stack.slice(at + url.length));
  if (position === null) return label;
  const entry = new SourceMap(JSON.parse(map)).findEntry(Number(position[1]) - 1, Number(position[2]) - 1);
  if (!("originalLine" in entry)) return label;
  const { originalSource, originalLine, originalColumn } = entry;
  return `${join(dirname(label), originalSource)}:${originalLine + 1}:${originalColumn + 1}`;
}

/** The thrown value, on one short line. */
export function thrownReason(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${show(error)}`;
  return `${error.name}: ${error.message}`.split("\n")[0]!.slice(0, 300);
}

/**
 * One module out of a user's file and all that it imports, in memory: a container may have nowhere to write
 * a temporary file, and JavaScript takes this way as well, so that its mistakes have line and column in every
 * version of Node.
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

/** A file that cannot be compiled. `message` begins with the place: `my-protocol.ts:3:5: …`. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

let compiler: typeof import("esbuild") | undefined;

/** Ends the compiler's own OS process, if there is one, once nothing is being compiled any more. */
export async function stopCompiler(): Promise<void> {
  await compiler?.stop();
}

/**
 * @param label how the file is called in messages
 * @param replaced packages by name that are not bundled but imported from these file URLs
 * @throws BundleError that names the place
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
      // Nothing is written, but the source map counts its paths from here.
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
      // What is bundled from CommonJS still calls `require` for what Node brings.
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
  // Shown from the working directory, like the file itself: it may be one that the file imports.
  const file = join(dirname(label), location.file);
  return `${file}:${location.line}:${location.column + 1}: ${text}`;
}

/** The place in the user's files where an error was thrown, as far as its stack tells. */
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

/** What was thrown, in one short line. */
export function thrownReason(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${show(error)}`;
  return `${error.name}: ${error.message}`.split("\n")[0]!.slice(0, 300);
}

/**
 * Reads the text of a configuration file. It is opened only after `stat` says that it is a regular file of at most
 * 1 MiB: opening a FIFO would block for ever.
 */
import { readFile, stat } from "node:fs/promises";
import { extname, isAbsolute, relative } from "node:path";
import { ConfigError } from "../errors.js";
import { EXIT } from "../exit-codes.js";

/** Maximum size of a configuration file. */
const MAX_BYTES = 1 << 20;

/** Maximum nesting: deeper brackets overflow esbuild's stack, and it then fails for the rest of this OS process. */
const MAX_DEPTH = 1000;

export interface Source {
  /** Absolute. */
  readonly path: string;
  /** The path in error messages: relative when the file is below the working directory. */
  readonly label: string;
  /** Content without byte order mark. */
  readonly text: string;
  /** `mode` of `stat`: permission bits and file type. */
  readonly mode: number;
}

/**
 * @param path absolute.
 * @param namedBy `--config` or `DROVER_CONFIG`: which one set the path.
 * @throws ConfigError (78)
 */
export async function readSource(path: string, namedBy: string, cwd: string): Promise<Source> {
  const fromHere = relative(cwd, path);
  const label = fromHere.startsWith("..") || isAbsolute(fromHere) ? path : fromHere;
  try {
    const mode = await inspectFile(path);
    return { path, label, mode, text: decode(await readFile(path)) };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw badFile(`${label}: ${REASONS[code] ?? message} (named by ${namedBy})`);
  }
}

/** The error for an invalid file; `message` begins with its label. */
export function badFile(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file: a part of its path is not a directory",
  EACCES: "cannot be read: permission denied",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "the path is too long",
};

async function inspectFile(path: string): Promise<number> {
  const found = await stat(path);
  if (found.isDirectory()) throw new Error("is a directory");
  if (!found.isFile()) throw new Error("is not a regular file");
  if (!/^\.(json|js|mjs|ts)$/.test(extname(path))) throw new Error("expected a .json, .js, .mjs or .ts file");
  if (found.size > MAX_BYTES) throw new Error(`is larger than 1 MiB (${found.size} bytes)`);
  return found.mode;
}

function decode(bytes: Buffer): string {
  // The decoder removes a byte order mark, which editors on Windows write.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "\0";
  try {
    text = decoder.decode(bytes);
  } catch {}
  if (text.includes("\0")) throw new Error("is not text in UTF-8");
  if (text.trim() === "") throw new Error("is empty");
  if (depthOf(text) > MAX_DEPTH) throw new Error(`is nested deeper than ${MAX_DEPTH} brackets`);
  return text;
}

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [bracket] of text.matchAll(/[[\](){}]/g)) {
    depth = Math.max(0, depth + ("[({".includes(bracket) ? 1 : -1));
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

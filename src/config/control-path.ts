/**
 * Default path of the control socket. The server and the commands that connect to it run in different shells, so
 * the path depends only on what both know: the user and the name of the server.
 */
import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `$XDG_RUNTIME_DIR/drover-<uid>/<name>.sock`; in the directory for temporary files where there is no runtime
 * directory, as in a container.
 */
export function defaultControl({ env, name }: { readonly env: Environment; readonly name: string }): string {
  const runtime = env.XDG_RUNTIME_DIR ?? "";
  const base = isAbsolute(runtime) && isWritableDirectory(runtime) ? runtime : tmpdir();
  return join(base, `drover-${process.getuid?.() ?? 0}`, `${name}.sock`);
}

/** After `su` the variable still names the previous user's directory, which is not writable. */
function isWritableDirectory(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

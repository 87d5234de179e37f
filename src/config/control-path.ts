/**
 * Where the control socket is when nobody says where. The server and the commands that look for it run in
 * different shells, so the path follows from what both know: who the user is and what the server is called.
 */
import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Known } from "./options/options.js";

/** Bytes of a socket path: sun_path without its final NUL. libuv cuts a longer path without an error. */
export const MAX_SOCKET_PATH = process.platform === "linux" ? 107 : 103;

/**
 * `$XDG_RUNTIME_DIR/drover-<uid>/<name>.sock`, or the same below the folder for temporary files when there is
 * no runtime directory, as in a container.
 */
export function defaultControl({ env, name }: Known): string {
  const runtime = env.XDG_RUNTIME_DIR ?? "";
  const base = isAbsolute(runtime) && isOurs(runtime) ? runtime : tmpdir();
  return join(base, `drover-${process.getuid?.() ?? 0}`, `${name}.sock`);
}

/** After `su` the variable still names the folder of the user before, in which we may not write. */
function isOurs(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

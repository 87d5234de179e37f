/** Path of a UNIX socket: its longest length, and abstract names. */

/** Bytes of a socket path: sun_path without its final NUL. libuv cuts a longer path without an error. */
export const MAX_SOCKET_PATH = process.platform === "linux" ? 107 : 103;

/** Whether it is an abstract name of Linux: `@name`, or `\0name`. It is no file, so it has no mode and is never stale. */
export function isAbstract(path: string): boolean {
  return path.startsWith("@") || path.startsWith("\0");
}

/** As people write it: `@name`. */
export function shownPath(path: string): string {
  return path.startsWith("\0") ? `@${path.slice(1)}` : path;
}

/** As the kernel takes it: `\0name`. */
export function kernelPath(path: string): string {
  return path.startsWith("@") ? `\0${path.slice(1)}` : path;
}

/** Why a path cannot be one of a UNIX socket; `undefined` if it can. */
export function pathProblem(path: string): string | undefined {
  const length = Buffer.byteLength(path);
  if (length > MAX_SOCKET_PATH)
    return `the path has ${length} bytes, the maximum is ${MAX_SOCKET_PATH}: choose a shorter one`;
  if (path.slice(1).includes("\0")) return "the path contains a NUL byte";
  return isAbstract(path) ? abstractProblem(path) : undefined;
}

/** Node 20 fills an abstract name up with NUL bytes to 107: other programs then do not find the socket. */
const ABSTRACT_SINCE = 22;

function abstractProblem(path: string): string | undefined {
  const major = Number(process.versions.node.split(".")[0]);
  if (process.platform !== "linux") return "abstract names exist only on Linux: choose a path";
  if (major < ABSTRACT_SINCE)
    return `abstract names need Node ${ABSTRACT_SINCE}, this is ${major}: choose a path`;
  return path.length === 1 ? "the abstract name is empty" : undefined;
}

/** Path of an inherited UNIX socket, which its handle does not tell: from the kernel's table of UNIX sockets. */
import { readFileSync, readlinkSync } from "node:fs";

/** @returns the path, `@name` of an abstract one, or `/dev/fd/N` where it is unknown */
export function inheritedPath(fd: number): string {
  const unknown = `/dev/fd/${fd}`;
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    if (inode === undefined) return unknown;
    // Num RefCount Protocol Flags Type St Inode Path
    const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
    const line = lines.find((one) => one.split(/ +/, 7)[6] === inode);
    return line?.match(/^(?:\S+ +){7}(.+)$/)?.[1] ?? unknown;
  } catch {
    return unknown;
  }
}

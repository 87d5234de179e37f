/** What the kernel tells of an inherited UNIX socket; its handle knows neither its path nor its state. */
import { readFileSync, readlinkSync } from "node:fs";

export interface InheritedSocket {
  /** `@name` of an abstract one, `/dev/fd/N` where it is unknown. */
  readonly path: string;
  /** `unknown` without `/proc`, and for a socket of another network namespace. */
  readonly state: "bound" | "connected" | "not_a_socket" | "unknown";
}

/** SS_UNCONNECTED, in the column St of `/proc/net/unix`. */
const UNCONNECTED = "01";

export function inheritedSocket(fd: number): InheritedSocket {
  const unknown = `/dev/fd/${fd}`;
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    if (inode === undefined) return { path: unknown, state: "not_a_socket" };
    // Num RefCount Protocol Flags Type St Inode Path
    const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
    const line = lines.find((one) => one.split(/ +/, 7)[6] === inode);
    if (line === undefined) return { path: unknown, state: "unknown" };
    const path = line.match(/^(?:\S+ +){7}(.+)$/)?.[1] ?? unknown;
    return { path, state: line.split(/ +/, 6)[5] === UNCONNECTED ? "bound" : "connected" };
  } catch {
    return { path: unknown, state: "unknown" };
  }
}

// A small memory cgroup that workers are moved into and out of again: it needs root, and a cgroup tree to write to.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pause } from "../server.js";

/** Of version 1 and version 2: the tree, the file of the limit, and where /proc/PID/cgroup names the cgroup. */
const VERSIONS = [
  { tree: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", name: /^\d+:memory:(.*)$/m },
  { tree: "/sys/fs/cgroup", limit: "memory.max", name: /^0::(.*)$/m },
] as const;
/** Until a member that was killed has left: only an empty cgroup can be removed. */
const EMPTY_MS = 5_000;
/** What the workers have taken before stays with their old cgroup. */
const LIMIT = 64 * 2 ** 20;

let count = 0;

export class Cgroup {
  readonly #dir: string;
  /** OS pids, and the cgroups that they came from. */
  readonly #members = new Map<number, string>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** @returns `undefined` where this user cannot make one */
  static make(): Cgroup | undefined {
    for (const { tree, limit } of VERSIONS) {
      // Without this file it is no cgroup tree but a folder, in which all files can be written.
      if (!existsSync(join(tree, "cgroup.procs"))) continue;
      const made = new Cgroup(join(tree, `drover-chaos-${process.pid}-${++count}`));
      if (
        attempt(() => mkdirSync(made.#dir)) &&
        attempt(() => writeFileSync(join(made.#dir, limit), `${LIMIT}`))
      )
        return made;
      made.#removed();
    }
    return undefined;
  }

  enter(osPid: number): void {
    const text = readFileSync(`/proc/${osPid}/cgroup`, "utf8");
    const { tree, name } = VERSIONS.find(({ tree }) => this.#dir.startsWith(`${tree}/drover`))!;
    const from = join(tree, name.exec(text)?.[1] ?? "/");
    if (attempt(() => writeFileSync(join(this.#dir, "cgroup.procs"), `${osPid}`)))
      this.#members.set(osPid, from);
  }

  /** Moves back the members that live. */
  async remove(): Promise<void> {
    for (const [osPid, from] of this.#members)
      attempt(() => writeFileSync(join(from, "cgroup.procs"), `${osPid}`));
    const end = performance.now() + EMPTY_MS;
    while (!this.#removed() && performance.now() < end) await pause(20);
  }

  /** Whether this user can make one. */
  static get isPossible(): boolean {
    const made = Cgroup.make();
    if (made === undefined) return false;
    return made.#removed();
  }

  #removed(): boolean {
    return attempt(() => rmdirSync(this.#dir));
  }
}

function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Looked at once: another user, or another kind of container, is none of a run's business. */
export const hasCgroups = process.platform === "linux" && Cgroup.isPossible;

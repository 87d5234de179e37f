/** Watches the folders of modules: editors replace a file when they save it, and a watch on the file would be lost. */
import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";
import { clock, type TimerRef } from "../../otp/time/clock.js";

/** Milliseconds without a further change: an editor writes several files, or one in steps. */
const QUIET = 50;
/** What a module may import: a file that was missing, or tsconfig.json, counts as well. */
const MODULE = /\.([cm]?[jt]sx?|json)$/;

export class FolderWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #files: ReadonlySet<string> = new Set();
  #timer: TimerRef = undefined;

  /** @param onChange called when modules, or files that could be some, have changed */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches the folders of these files from now on. */
  set files(files: readonly string[]) {
    this.#files = new Set(files);
    const folders = new Set(files.map((file) => dirname(file)));
    for (const [folder, watcher] of this.#watchers)
      if (!folders.has(folder)) {
        watcher.close();
        this.#watchers.delete(folder);
      }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || MODULE.test(name) || this.#files.has(join(folder, name))) this.#changed();
      });
      // A folder that is removed.
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // It is gone: the next set of files has others.
    }
  }

  #changed(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => this.#onChange(), QUIET, true);
  }

  close(): void {
    clock.clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

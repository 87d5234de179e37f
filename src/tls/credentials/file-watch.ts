/**
 * Notices when one of many files is replaced. Watches the directories, not the files: Kubernetes, certbot and editors
 * do not write a file in place, they rename another file or link over it.
 */
import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { KeyPairOptions, PemSource, TlsOptions } from "../options.js";

/** A change comes as several events; after the last one this long nothing happens. */
const QUIET = 100;
/** Network file systems have no events, and a link in the middle of a path can be moved unseen. */
const POLL = 60_000;

/** Paths of all files that the options name. */
export function filesOf({ more = [], ca, crl, ticketKeys, ...first }: TlsOptions): string[] {
  const ofPair = ({ cert, key, passphraseFile }: KeyPairOptions) => [cert, key, passphraseFile];
  const all: (PemSource | undefined)[] = [...[first, ...more].flatMap(ofPair), ca, crl, ticketKeys];
  return all.filter(
    (source): source is string => typeof source === "string" && !source.startsWith("-----BEGIN"),
  );
}

export class FileWatch {
  readonly #files: readonly string[];
  readonly #onChange: () => void;
  /** By directory. */
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly ino: number }>();
  #signature: string;
  #quiet: TimerRef = undefined;
  #poll: TimerRef = undefined;

  constructor(files: readonly string[], onChange: () => void) {
    this.#files = [...new Set(files)];
    this.#onChange = onChange;
    this.#signature = this.#sign();
  }

  start(): void {
    if (this.#files.length === 0) return;
    this.#watchAll();
    this.#schedulePoll();
  }

  stop(): void {
    clock.clearTimeout(this.#quiet);
    clock.clearTimeout(this.#poll);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Compares the files with what they were. */
  check(): void {
    this.#watchAll();
    const signature = this.#sign();
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#onChange();
  }

  #schedulePoll(): void {
    this.#poll = clock.setTimeout(
      () => {
        this.check();
        this.#schedulePoll();
      },
      POLL,
      true,
    );
  }

  #event(): void {
    clock.clearTimeout(this.#quiet);
    this.#quiet = clock.setTimeout(() => this.check(), QUIET, true);
  }

  /** Watches each directory that is not watched, or is another one than before. */
  #watchAll(): void {
    for (const folder of new Set(this.#files.map((file) => dirname(file)))) {
      const ino = stat(folder)?.ino;
      const known = this.#watchers.get(folder);
      if (known?.ino === ino && known !== undefined) continue;
      known?.watcher.close();
      this.#watchers.delete(folder);
      if (ino !== undefined) this.#watch(folder, ino);
    }
  }

  /** Without a watch (no such directory any more, no inotify left) the poll finds the change. */
  #watch(folder: string, ino: number): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#event());
      watcher.on("error", () => this.#watchers.delete(folder));
      this.#watchers.set(folder, { watcher, ino });
    } catch {}
  }

  /** `stat` follows links: the inode changes when a link does. */
  #sign(): string {
    return this.#files
      .map((file) => {
        const { ino, size, mtimeMs, ctimeMs } = stat(file) ?? {};
        return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
      })
      .join();
  }
}

function stat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

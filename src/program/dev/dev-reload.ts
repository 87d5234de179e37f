/**
 * Reload of `drover dev`: compiles the protocol after each save, and restarts the worker when its code has changed. Code
 * that does not compile or load changes nothing: the old goes on, and the next save is awaited.
 *
 *   save ─▶ quiet for 50 ms ─▶ compile, try in a thread ─▶ shutdown of the connections ─▶ new worker
 */

import { didNotStart, startWorkerAgain } from "../../cluster/primary/changes/restart-worker.js";
import type { Primary } from "../../cluster/primary/primary.js";
import type { WorkerSlot } from "../../cluster/primary/workers/worker-slot.js";
import { ReleaseError } from "../../cluster/release/release.js";
import type { CurrentReleases, Releases } from "../../cluster/release/releases.js";
import { protocolLabel } from "../../cluster/release/releases.js";
import { Refusal } from "../../control/errors.js";
import { clock } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";
import { FolderWatch } from "./watch-folders.js";

export interface DevReloadOptions {
  readonly primary: Primary;
  readonly releases: CurrentReleases;
  readonly log: Pick<Log, "info" | "error">;
  /** Compiles the protocols of all listeners. @throws ReleaseError */
  prepare(): Promise<Releases>;
}

export class DevReload {
  readonly #options: DevReloadOptions;
  readonly #folders = new FolderWatch(() => void this.#changed());
  #running = false;
  /** A save came while one was being worked on. */
  #again = false;
  /** The last save did not compile, or the worker did not start. */
  #failed = false;
  #closed = false;

  constructor(options: DevReloadOptions) {
    this.#options = options;
    this.#folders.files = [...codeOf(options.releases).keys()];
  }

  close(): void {
    this.#closed = true;
    this.#folders.close();
  }

  async #changed(): Promise<void> {
    this.#again = this.#running;
    if (this.#running || this.#closed) return;
    this.#running = true;
    try {
      await this.#reload();
    } finally {
      this.#running = false;
      if (this.#again) void this.#changed();
    }
  }

  async #reload(): Promise<void> {
    const { log, prepare, releases } = this.#options;
    const began = clock.now();
    let next: Releases;
    try {
      next = await prepare();
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      this.#failed = true;
      return log.error(`${error.message}: the old version goes on until the next save`);
    }
    const changed = changedFiles(codeOf(releases), codeOf(next));
    if (this.#closed || (changed.length === 0 && !this.#failed)) return;
    if (changed.length === 0) log.info("as before the mistake: nothing to restart");
    this.#failed = false;
    this.#folders.files = [...codeOf(next).keys()];
    if (changed.length === 0) return;
    if (JSON.stringify(next.own) !== JSON.stringify(releases.own)) {
      this.#failed = true;
      return log.error(
        "metrics or reasons of the protocol have changed, which the primary has from the start: end `drover dev`, and start it again",
      );
    }
    await this.#restart(next, changed, began);
  }

  async #restart(next: Releases, changed: readonly string[], began: number): Promise<void> {
    const { log, primary, releases } = this.#options;
    const names = changed.map((file) => protocolLabel(file, process.cwd())).join(", ");
    releases.replace(next);
    try {
      const change = primary.beginChange("a reload");
      try {
        await Promise.all(primary.pool.slots.map((slot) => this.#startAgain(slot)));
      } finally {
        change.end();
      }
      log.info(`changed ${names}: serves again after ${Math.round(clock.now() - began)} ms`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#failed = true;
      if (!this.#closed) log.error(`changed ${names}: ${error.message}: clients wait until the next save`);
    }
  }

  /** A worker that does not start stays down: the next save starts it. */
  async #startAgain(slot: WorkerSlot): Promise<void> {
    const { primary } = this.#options;
    const failure = await startWorkerAgain(primary, slot);
    if (failure) throw didNotStart(primary, slot, failure.error);
  }
}

/** The code of all modules of the user, by path. */
function codeOf({ all }: Pick<Releases, "all">): ReadonlyMap<string, string> {
  const modules = all.flatMap(({ module }) => ("user" in module ? module.user.modules : []));
  return new Map(modules.map(({ path, code }) => [path, code]));
}

function changedFiles(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((path) => before.get(path) !== after.get(path));
}

/**
 * File descriptors that the primary keeps for its admin server. Without a free one libuv accepts and closes clients
 * without an event, so a liveness probe would restart a server that serves. A free one is looked for four times a
 * second, which takes 10 us each; while there is none, those that are kept are released.
 */
import { closeSync, openSync } from "node:fs";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { descriptorShortages } from "../events.js";

/** For six new connections of each HTTP server, the files of an answer, and a fork. */
const KEPT = 16;
/** Milliseconds between two looks. */
const CHECK_EVERY = 250;

export class DescriptorReserve {
  readonly #onShortage: (() => void) | undefined;
  readonly #kept: number[] = [];
  #isShort = false;
  #timer: TimerRef = undefined;

  /** @param onShortage called each time that none is left */
  constructor(onShortage?: () => void) {
    this.#onShortage = onShortage;
    this.#check();
  }

  /** Whether those that were kept are in use: there is room for few connections. */
  get isShort(): boolean {
    return this.#isShort;
  }

  close(): void {
    clock.clearTimeout(this.#timer);
    for (const fd of this.#kept.splice(0)) closeSync(fd);
  }

  #check(): void {
    this.#timer = clock.setTimeout(() => this.#check(), CHECK_EVERY, true);
    const fds = this.#kept;
    // They are in order.
    const highest = fds.at(-1) ?? -1;
    const isShort = isOutOfDescriptors(() => {
      // One more than are kept: where there is none, they would be released at once. Those of the lowest numbers are
      // kept: a limit that is lowered below them would leave nothing to release.
      do fds.push(openSync("/dev/null", "r"));
      while (fds.length <= KEPT || (fds.at(-1) as number) < highest);
    });
    fds.sort((a, b) => a - b);
    for (const fd of fds.splice(isShort ? 0 : KEPT)) closeSync(fd);
    this.#set(isShort);
  }

  #set(isShort: boolean): void {
    const begins = isShort && !this.#isShort;
    this.#isShort = isShort;
    if (!begins) return;
    this.#onShortage?.();
    if (descriptorShortages.hasSubscribers) descriptorShortages.publish({ released: KEPT });
  }
}

/** Another error of `open` says nothing about descriptors, and must not end the primary. */
function isOutOfDescriptors(open: () => void): boolean {
  try {
    open();
    return false;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return code === "EMFILE" || code === "ENFILE";
  }
}

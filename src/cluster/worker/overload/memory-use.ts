/**
 * Memory that this OS process needs: heap and buffers in use, and what it had beside them at its start. Not the resident
 * size, which stays where it was when buffers of less than 128 KiB are freed: closing connections would not lower it.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { clock } from "../../../otp/time/clock.js";

/** Of the young generation, which is a part of `heap_size_limit`: the heap is exhausted when the old one is full. */
const YOUNG_BYTES = 48 * 1024 * 1024;
/** Pause after a collection, as a multiple of its duration: they take a twentieth of the time at most. */
const PAUSE = 20;
/** In milliseconds. */
const MIN_PAUSE = 1_000;

export interface MemoryUse {
  /** Bytes in use. */
  readonly bytes: number;
  /** Part of V8's heap limit (`--max-old-space-size`) in use. */
  readonly heap: number;
}

export class MemoryMeter {
  readonly #base: number;
  readonly #heapLimit = Math.max(1, getHeapStatistics().heap_size_limit - YOUNG_BYTES);
  #collect: (() => void) | undefined = undefined;
  #collectAt = 0;
  #last: MemoryUse = { bytes: 0, heap: 0 };

  constructor() {
    const { rss, heapTotal, external } = process.memoryUsage();
    this.#base = Math.max(0, rss - heapTotal - external);
  }

  /** 20 us. */
  read(): MemoryUse {
    try {
      const { heapUsed, external } = process.memoryUsage();
      this.#last = { bytes: this.#base + heapUsed + external, heap: heapUsed / this.#heapLimit };
    } catch {
      // It opens a file: without a free descriptor the last value stands.
    }
    return this.#last;
  }

  /**
   * Collects garbage, unless that was done a short time ago: no connection is to be closed for it, and without new ones
   * V8 has no reason to.
   * @returns whether it did
   */
  collect(): boolean {
    if (clock.now() < this.#collectAt) return false;
    this.#collect ??= exposedCollection();
    const before = clock.now();
    this.#collect();
    const after = clock.now();
    this.#collectAt = after + Math.max(MIN_PAUSE, PAUSE * (after - before));
    return true;
  }
}

/** The second collection is a short one: buffers that the first has freed are counted as such by the next. */
function exposedCollection(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  return () => {
    gc();
    gc({ type: "minor" });
  };
}

/**
 * Frames that have begun and not ended, over all connections of an OS process, bounded by `limits.workerInbound`: a
 * client that sends all of a frame but its last byte costs the frame's length, for 15 s, and 300 of them 300 MiB.
 * Small ones are not counted, so that a connection without a large one costs nothing, and a read no look-up.
 */

/** A connection with an unfinished frame. */
export interface Unfinished {
  /** Ends it, and frees the memory of that frame. */
  endUnfinished(): void;
}

/** Bytes of a frame from which on it is counted. */
export const COUNTED_FROM = 4_096;
/** Part of the limit down to which frames are given up: not one for each further read. */
const DOWN_TO = 0.9;

export class UnfinishedFrames {
  /** Bytes of all that are counted. */
  bytes = 0;
  /** In the order in which their frames began. */
  readonly #held = new Map<Unfinished, number>();

  get count(): number {
    return this.#held.size;
  }

  /** @returns by how much it has grown since the last call */
  set(connection: Unfinished, bytes: number): number {
    const grown = bytes - (this.#held.get(connection) ?? 0);
    this.bytes += grown;
    this.#held.set(connection, bytes);
    return grown;
  }

  delete(connection: Unfinished): void {
    this.bytes -= this.#held.get(connection) ?? 0;
    this.#held.delete(connection);
  }

  /** Above the limit: ends the connections with the largest frames, of equal ones those that began first. */
  keepTo(limit: number): void {
    if (this.bytes <= limit) return;
    const largestFirst = [...this.#held].sort(([, one], [, other]) => other - one);
    for (const [connection] of largestFirst) {
      if (this.bytes <= limit * DOWN_TO) return;
      this.delete(connection);
      connection.endUnfinished();
    }
  }
}

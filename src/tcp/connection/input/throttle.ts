/**
 * Throttling of one connection by the output of others (`conn.throttleBy`), so that a gateway pushes back on its client
 * while the far end reads slowly. Kept beside the connections, in a weak map: only gateways use it.
 */

/** The connection that throttles. */
export interface Throttling {
  readonly alive: boolean;
  /** Its output is at the high-water mark, and not yet down at the low one. False when it is ending: it takes no more. */
  readonly outputFull: boolean;
  /** Resolves when its output has room; rejects when it ends. */
  room(): Promise<void>;
}

/** The connection that is throttled. */
export interface Throttled {
  /** Frames may be handled again. */
  onReleased(): void;
}

interface Throttle {
  readonly others: Set<Throttling>;
  /** Whether a room is waited for. */
  waiting: boolean;
}

const throttles = new WeakMap<Throttled, Throttle>();

export function addThrottle(connection: Throttled, other: Throttling): void {
  const present = throttles.get(connection);
  if (present) present.others.add(other);
  else throttles.set(connection, { others: new Set([other]), waiting: false });
}

/** Whether the output of another connection is full now; if so, `onReleased` follows when it has room or has ended. */
export function isThrottled(connection: Throttled): boolean {
  const throttle = throttles.get(connection);
  if (!throttle) return false;
  for (const other of throttle.others) {
    if (!other.alive) throttle.others.delete(other);
    else if (other.outputFull) {
      waitForRoom(connection, throttle, other);
      return true;
    }
  }
  return false;
}

function waitForRoom(connection: Throttled, throttle: Throttle, other: Throttling): void {
  if (throttle.waiting) return;
  throttle.waiting = true;
  const again = () => {
    throttle.waiting = false;
    connection.onReleased();
  };
  other.room().then(again, again);
}

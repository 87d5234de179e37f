/**
 * Guard around node's own messages from one worker. Code in a worker may send any `{ cmd: "NODE_…" }`, and node's
 * handlers trust what they get: an acknowledgement of a handle that was never sent is an exception in the primary, and
 * each message that wants an answer leaves one that waits for the worker, whether it reads or not (525 MB in 8 s).
 */
import type { ChildProcess } from "node:child_process";
import { clock } from "../../../otp/time/clock.js";

const EVENT = "internalMessage";
/** Messages that node answers. */
const ANSWERED: readonly unknown[] = ["NODE_HANDLE", "NODE_CLUSTER"];
/** So many of them a second are answered: a worker that opens servers of its own sends a few. */
const MAX_ASKED = 1_000;
const WINDOW = 1_000;

interface Internal {
  readonly cmd?: unknown;
}

/**
 * Wraps the handlers that node has added, which it does within `fork`.
 * @param onInvalid called with what a handler throws, or why a message is dropped, the first time
 */
export function guardInternalMessages(child: ChildProcess, onInvalid: (error: unknown) => void): void {
  const asked = new AskedRate();
  let reported = false;
  const report = (error: unknown): void => {
    if (!reported) onInvalid(error);
    reported = true;
  };
  for (const handler of child.listeners(EVENT)) {
    child.off(EVENT, handler as () => void);
    child.on(EVENT, (...args: unknown[]) => {
      const [message, handle] = args as [Internal | undefined, { close?(): void } | undefined];
      try {
        const refused = refusal(message, asked);
        if (refused === undefined) return handler.apply(child, args);
        handle?.close?.();
        report(new Error(refused));
      } catch (error) {
        report(error);
      }
    });
  }
}

function refusal(message: Internal | undefined, asked: AskedRate): string | undefined {
  if (!ANSWERED.includes(message?.cmd) || asked.allows()) return undefined;
  return `more than ${MAX_ASKED} a second`;
}

class AskedRate {
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  allows(): boolean {
    const now = clock.now();
    if (now - this.#since >= WINDOW) {
      this.#since = now;
      this.#count = 0;
    }
    return ++this.#count <= MAX_ASKED;
  }
}

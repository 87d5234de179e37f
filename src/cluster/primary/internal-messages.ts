/**
 * Guard around node's own messages from one worker. Code in a worker may send any `{ cmd: "NODE_…" }`, and node's
 * handlers trust what they get: an acknowledgement of a handle that was never sent is an exception in the primary.
 */
import type { ChildProcess } from "node:child_process";

const EVENT = "internalMessage";

/**
 * Wraps the handlers that node has added, which it does within `fork`.
 * @param onInvalid called with what a handler throws, the first time; such messages are dropped
 */
export function guardInternalMessages(child: ChildProcess, onInvalid: (error: unknown) => void): void {
  let reported = false;
  for (const handler of child.listeners(EVENT)) {
    child.off(EVENT, handler as () => void);
    child.on(EVENT, (...args: unknown[]) => {
      try {
        handler.apply(child, args);
      } catch (error) {
        if (!reported) onInvalid(error);
        reported = true;
      }
    });
  }
}

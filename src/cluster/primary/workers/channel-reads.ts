/**
 * Guard around what the primary reads from one worker. Node deserializes inside the callback of a read, so what it cannot
 * deserialize is an exception in the primary: an object 2,000 levels deep does that, and so do bytes that code in the
 * worker writes to a wrong file descriptor. A message is collected without a bound before it is deserialized.
 */
import type { ChildProcess } from "node:child_process";

/** Largest message, in bytes: that of 10,000 connections in a list has some megabytes. */
export const MAX_MESSAGE = 64 * 1024 * 1024;

/** What node reads from a worker: not public, the same in the majors 20 to 26. */
interface ChannelHandle {
  onread(...args: unknown[]): void;
  /** `kMessageBufferSize`: bytes of a message that is not whole yet. */
  [key: symbol]: number | undefined;
}

/**
 * Wraps the read callback that node has set within `fork`. Node passes over a message that has failed; those behind it in
 * the same read arrive with the next read.
 * @param onUnreadable called with what the callback throws, the first time
 * @param onTooLarge called when a message is larger than allowed, each time that more of it comes
 * @param maxMessage in bytes
 */
export function guardReads(
  child: ChildProcess,
  onUnreadable: (error: unknown) => void,
  onTooLarge: () => void,
  maxMessage = MAX_MESSAGE,
): void {
  const handle = channelHandle(child);
  if (handle === undefined) return;
  const buffered = symbolOf(handle, "kMessageBufferSize");
  const { onread } = handle;
  let reported = false;
  handle.onread = (...args) => {
    try {
      onread.apply(handle, args);
    } catch (error) {
      if (!reported) onUnreadable(error);
      reported = true;
    }
    if (buffered !== undefined && (handle[buffered] ?? 0) > maxMessage) onTooLarge();
  };
}

function channelHandle(child: ChildProcess): ChannelHandle | undefined {
  const symbol = symbolOf(child, "kChannelHandle");
  return symbol && (child as unknown as Record<symbol, ChannelHandle | undefined>)[symbol];
}

function symbolOf(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

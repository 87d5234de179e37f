/**
 * Guards `process.stdout` and `process.stderr`: an error of theirs (a reader that has gone, a full disk) would be an
 * uncaught exception and end this OS process, with all its connections. What cannot be written is lost instead.
 */
import type { WriteStream } from "node:tty";

/** Guards both streams; they are still opened only when they are used first. */
export function guardStandardStreams(): void {
  for (const name of ["stdout", "stderr"] as const) {
    const { get } = Object.getOwnPropertyDescriptor(process, name) as PropertyDescriptor;
    let guarded: WriteStream | undefined;
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        guarded ??= guard((get as () => WriteStream).call(process));
        return guarded;
      },
    });
  }
}

/** @internal Its `error` events are handled, and `write` throws no system error, as it does for files. */
export function guard<S extends NodeJS.WritableStream>(stream: S): S {
  stream.on("error", () => {});
  const write = stream.write as (...args: unknown[]) => boolean;
  const guarded = (...args: unknown[]): boolean => {
    try {
      return write.apply(stream, args);
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).errno !== "number") throw error;
      const written = args.at(-1);
      if (typeof written === "function") queueMicrotask(() => written(error));
      return true;
    }
  };
  return Object.assign(stream, { write: guarded });
}

/** Standard output of a command that writes bit by bit, until its reader closes it or Ctrl-C. */
import type { Writable } from "node:stream";

export type Stdout = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export class Output {
  readonly #stdout: Stdout;
  readonly #stopped = new AbortController();
  /** Why a write failed; a closed pipe is no failure. */
  failure: Error | undefined = undefined;

  /** @param interrupt Ctrl-C */
  constructor(stdout: Stdout, interrupt: AbortSignal) {
    this.#stdout = stdout;
    if (interrupt.aborted) this.stop();
    interrupt.addEventListener("abort", () => this.stop());
    // EPIPE: the reader, such as `head`, has closed the pipe.
    stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") this.failure ??= error;
      this.stop();
    });
  }

  /** Aborted when the output is closed, or stopped. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Width of the terminal; `undefined`: standard output is no terminal. */
  get columns(): number | undefined {
    return this.#stdout.isTTY ? this.#stdout.columns : undefined;
  }

  get rows(): number | undefined {
    return this.#stdout.isTTY ? this.#stdout.rows : undefined;
  }

  /** Resolves when the stream has drained. */
  write(text: string): Promise<void> {
    if (this.signal.aborted || this.#stdout.write(text)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stdout.once("drain", resolve);
      this.signal.addEventListener("abort", () => resolve());
    });
  }

  onResize(redraw: () => void): void {
    this.#stdout.on("resize", redraw);
    this.signal.addEventListener("abort", () => this.#stdout.off("resize", redraw));
  }

  stop(): void {
    this.#stopped.abort();
  }
}

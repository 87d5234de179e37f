/** Where a command writes what it has to say bit by bit, until its reader goes or the user has had enough. */
import type { Writable } from "node:stream";

export type Stdout = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export class Output {
  readonly #stdout: Stdout;
  readonly #over = new AbortController();
  /** Why nothing could be written, where that is one. */
  failure: Error | undefined = undefined;

  /** @param interrupt Ctrl-C */
  constructor(stdout: Stdout, interrupt: AbortSignal) {
    this.#stdout = stdout;
    if (interrupt.aborted) this.stop();
    interrupt.addEventListener("abort", () => this.stop());
    // `head` has read enough: that is no failure. Everything else is one.
    stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") this.failure ??= error;
      this.stop();
    });
  }

  /** Aborted when there is no point in going on. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Of the terminal; `undefined`: it is none. */
  get columns(): number | undefined {
    return this.#stdout.isTTY ? this.#stdout.columns : undefined;
  }

  get rows(): number | undefined {
    return this.#stdout.isTTY ? this.#stdout.rows : undefined;
  }

  /** Resolves when there is room for more. */
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

  /** Ends it. */
  stop(): void {
    this.#over.abort();
  }
}

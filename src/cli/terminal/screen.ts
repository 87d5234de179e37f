/**
 * The alternate screen of a terminal, whose normal content comes back at the end. Each redraw is one write over the
 * previous content, so that nothing flickers. The terminal is restored however the program ends.
 */
import { writeSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Output } from "./output.js";

export type Keyboard = Readable & {
  readonly isTTY?: boolean;
  readonly setRawMode?: (raw: boolean) => unknown;
};

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** Ctrl-C, Ctrl-D and q: in raw mode Ctrl-C sends no signal. */
const QUIT: readonly string[] = ["\x03", "\x04", "q", "Q"];

export class Screen {
  readonly #output: Output;
  readonly #keyboard: Keyboard | undefined;
  readonly #onKey: (key: string) => void;
  readonly #onData = (keys: Buffer | string): void => this.#onKeys(keys.toString());
  /** On an unexpected exit. Synchronous: the stream is not flushed any more. */
  readonly #onExit = (): void => {
    try {
      writeSync(1, LEAVE);
    } catch {
      // The terminal is closed.
    }
  };

  constructor(output: Output, keyboard: Keyboard | undefined, onKey: (key: string) => void) {
    this.#output = output;
    this.#keyboard = keyboard?.isTTY ? keyboard : undefined;
    this.#onKey = onKey;
    process.on("exit", this.#onExit);
    this.#keyboard?.setRawMode?.(true);
    this.#keyboard?.on("data", this.#onData);
    void output.write(ENTER);
  }

  /** Draws lines, which must be escaped and no wider than the terminal. */
  draw(lines: readonly string[]): Promise<void> {
    const rows = lines.slice(0, this.#output.rows ?? lines.length);
    return this.#output.write(`\x1b[H${rows.join("\x1b[K\r\n")}\x1b[K\x1b[J`);
  }

  /** Restores the terminal. */
  async close(leave: (text: string) => Promise<void>): Promise<void> {
    this.#keyboard?.off("data", this.#onData);
    this.#keyboard?.setRawMode?.(false);
    // A flowing stream keeps the program alive.
    this.#keyboard?.pause();
    await leave(LEAVE);
    process.off("exit", this.#onExit);
  }

  #onKeys(keys: string): void {
    if (QUIT.includes(keys)) return this.#output.stop();
    this.#onKey(keys);
  }
}

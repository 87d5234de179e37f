/**
 * A terminal that is drawn on anew each time: the alternate screen, so that what was there before comes back.
 * A picture leaves in one write, over the one before, so that nothing flickers. Whatever ends the program, the
 * terminal is put right first.
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
/** Ctrl-C, Ctrl-D and q: in raw mode the terminal makes no signal of them. */
const QUIT: readonly string[] = ["\x03", "\x04", "q", "Q"];

export class Screen {
  readonly #output: Output;
  readonly #keyboard: Keyboard | undefined;
  readonly #onKey: (key: string) => void;
  readonly #pressed = (keys: Buffer | string): void => this.#heard(keys.toString());
  /** An exit that nobody saw coming: the stream is not flushed any more then. */
  readonly #onExit = (): void => {
    try {
      writeSync(1, LEAVE);
    } catch {
      // The terminal has gone: nothing is left to put right.
    }
  };

  constructor(output: Output, keyboard: Keyboard | undefined, onKey: (key: string) => void) {
    this.#output = output;
    this.#keyboard = keyboard?.isTTY ? keyboard : undefined;
    this.#onKey = onKey;
    process.on("exit", this.#onExit);
    this.#keyboard?.setRawMode?.(true);
    this.#keyboard?.on("data", this.#pressed);
    void output.write(ENTER);
  }

  /** Draws lines, which must be printable and no wider than the terminal. */
  draw(lines: readonly string[]): Promise<void> {
    const rows = lines.slice(0, this.#output.rows ?? lines.length);
    return this.#output.write(`\x1b[H${rows.join("\x1b[K\r\n")}\x1b[K\x1b[J`);
  }

  /** Gives the terminal back. */
  async close(leave: (text: string) => Promise<void>): Promise<void> {
    this.#keyboard?.off("data", this.#pressed);
    this.#keyboard?.setRawMode?.(false);
    // A stream that is listened to keeps the program alive.
    this.#keyboard?.pause();
    await leave(LEAVE);
    process.off("exit", this.#onExit);
  }

  #heard(keys: string): void {
    if (QUIT.includes(keys)) return this.#output.stop();
    this.#onKey(keys);
  }
}

/**
 * Journal of positions: a file to which lines are appended. It stands for a database, since Node 20 has none built in;
 * a pool of one has the same two methods.
 *
 *   write ──▶ rows that wait ──one write for all of them, when the last has ended──▶ file ──▶ their promises resolve
 */
import { type FileHandle, open } from "node:fs/promises";

export class Journal {
  readonly #file: FileHandle;
  #rows: string[] = [];
  /** The write under way, and the one that takes what waits for it. */
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** For appending, so that the lines of several workers do not run into one another. */
  static async open(path: string): Promise<Journal> {
    return new Journal(await open(path, "a"));
  }

  /** Resolves when the row is in the file: who awaits it is pushed back by a slow disk. */
  write(row: object): Promise<void> {
    this.#rows.push(`${JSON.stringify(row)}\n`);
    this.#next ??= this.#writing.then(() => {
      const text = this.#rows.join("");
      this.#rows = [];
      this.#next = undefined;
      const written = this.#file.appendFile(text);
      // A failure is that of its rows alone; the next write is tried again.
      this.#writing = written.catch(() => {});
      return written;
    });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => {});
    await this.#writing;
    await this.#file.close();
  }
}

/** A terminal that exists only in memory: what a program does to it, and what is typed. */
import { PassThrough, Writable } from "node:stream";

export class Terminal extends Writable {
  readonly isTTY = true;
  columns = 100;
  rows = 24;
  /** Each write as it came. */
  readonly writes: string[] = [];
  readonly keyboard = new Keyboard();

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString());
    done();
  }

  get text(): string {
    return this.writes.join("");
  }

  /** The last picture, line by line, without colours. */
  get picture(): string[] {
    const drawn = this.writes.filter((text) => text.startsWith("\x1b[H")).at(-1) ?? "";
    return plain(drawn.slice(3)).split("\r\n");
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.emit("resize");
  }
}

class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }
}

export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told.
  return text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, "");
}

/**
 * Output of the log: standard output, standard error or a file. A slow or dead reader must not affect the server, so nothing
 * here blocks, throws or grows: a line that cannot be written yet waits in a bounded queue (1 MiB), and a line
 * that does not fit is counted as dropped.
 *
 * Pipes, sockets and devices are written synchronously, on a non-blocking descriptor. An asynchronous write to a pipe
 * without a reader occupies a thread of libuv's pool, and Node waits for that thread at exit, for ever.
 *
 * A file has no non-blocking mode: a slow disk (6 s for a write were seen) would hold up every client. It is written in a
 * thread of the pool, one write at a time, and synchronously at close, so the last report before an exit is not lost.
 */
import { close, closeSync, constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { countDropped } from "./dropped-lines.js";
import { removeHalfLine } from "./half-line.js";
import { isStderr, openLogFile } from "./log-file.js";

const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;

/** Maximum bytes queued for a slow reader. */
const MAX_QUEUED = 1 << 20;
/** Maximum bytes of one write to a file. */
const MAX_BATCH = 64 * 1024;
/** Retry delay in milliseconds after EAGAIN: doubles from 5 to 200. */
const FIRST_RETRY = 5;
const MAX_RETRY = 200;
/** Retries at close, and the milliseconds between them: 50 × 5 ms for a slow reader. */
const FINAL_TRIES = 50;
const FINAL_PAUSE = 5;

/** Errors after which no write can succeed: the reader has gone. */
const UNRECOVERABLE: readonly unknown[] = ["EPIPE", "EBADF", "ECONNRESET"];

export class Sink {
  /** Number of dropped lines. */
  dropped = 0;
  /** Why the file could not be opened and standard output is used instead. */
  readonly openError: unknown = undefined;
  readonly #file: string | undefined;
  readonly #onDropped: (lines: number) => void;
  #fd: number;
  #queue: Buffer[] = [];
  #queued = 0;
  /** The first queued line has been written in part. */
  #partial = false;
  /** Whether it is a file. */
  #isFile: boolean;
  /** Lines at the head of the queue that a thread is writing. */
  #inFlight = 0;
  /** Calls of `idle`. */
  #waiting: (() => void)[] = [];
  #broken = false;
  #unreported = 0;
  #delay = FIRST_RETRY;
  #timer: TimerRef | undefined = undefined;

  /**
   * @param file default standard output
   * @param onDropped called with the number of lines dropped since its last call, once lines can be written again
   * @param fallback use standard output when the file cannot be opened
   * @throws NodeJS.ErrnoException when the file cannot be opened, without `fallback`
   */
  constructor(file: string | undefined, onDropped: (lines: number) => void, fallback = false) {
    this.#file = isStderr(file) ? undefined : file;
    this.#onDropped = onDropped;
    try {
      this.#fd = this.#file === undefined ? openStandard(isStderr(file) ? 2 : 1) : openLogFile(this.#file);
    } catch (error) {
      if (!fallback) throw error;
      this.openError = error;
      this.#fd = openStandard(1);
    }
    this.#isFile = fstatSync(this.#fd).isFile();
  }

  write(text: string): void {
    const line = Buffer.from(text);
    // Reports the gap where it is; not while the queue is over half full, or every other line would be such a report.
    if (this.#unreported > 0 && this.#queued < MAX_QUEUED / 2) this.#reportDropped();
    if (this.#broken || this.#queued + line.length > MAX_QUEUED) return this.#drop(1);
    this.#queue.push(line);
    this.#queued += line.length;
    if (this.#timer === undefined) this.#drain();
  }

  /**
   * Opens the path again, after the file was renamed by log rotation. No line is lost.
   * @throws NodeJS.ErrnoException when it cannot be opened; the old file stays in use
   */
  reopen(): void {
    if (this.#file === undefined || this.#fd === -1) return;
    const fd = openLogFile(this.#file);
    if (!this.#isFile) this.#writeQueued();
    // The rest of a partly written line would be an invalid line in the new file.
    if (this.#partial) this.#discard(1);
    this.#closeFile();
    this.#fd = fd;
    this.#isFile = fstatSync(fd).isFile();
    this.#broken = false;
    this.#drain();
  }

  /** @internal Resolves when no thread writes: every line is written, dropped, or waits for its next attempt. */
  idle(): Promise<void> {
    return new Promise((resolve) => (this.#inFlight === 0 ? resolve() : this.#waiting.push(resolve)));
  }

  /** Writes queued lines for at most 250 ms, drops the rest and closes the descriptor. */
  close(): void {
    if (this.#fd === -1) return;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    // Node waits for the thread that writes them.
    for (const line of this.#queue.splice(0, this.#inFlight)) this.#queued -= line.length;
    if (this.#isFile) this.#writeFileNow();
    for (let tries = FINAL_TRIES; !this.#isFile && this.#writeQueued() === "EAGAIN" && tries > 0; tries--)
      sleep(FINAL_PAUSE);
    if (this.#queue.length === 0) this.#reportDropped();
    clock.clearTimeout(this.#timer);
    this.#broken = true;
    this.#discard(this.#queue.length);
    this.#closeFile();
    this.#fd = -1;
  }

  /** Writes the queue; sets a retry timer if the descriptor would block. */
  #drain(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isFile) return this.#writeBehind();
    const failed = this.#writeQueued();
    if (failed === undefined) this.#reportDropped();
    else this.#failed(failed);
  }

  #failed(code: string): void {
    if (UNRECOVERABLE.includes(code)) {
      this.#broken = true;
      return this.#discard(this.#queue.length);
    }
    this.#timer = clock.setTimeout(() => this.#drain(), this.#delay, true);
    this.#delay = Math.min(this.#delay * 2, MAX_RETRY);
  }

  /** Writes the head of the queue to a file, in a thread; then the rest. */
  #writeBehind(): void {
    if (this.#inFlight > 0 || this.#queue.length === 0) return;
    let bytes = 0;
    while (this.#inFlight < this.#queue.length && bytes < MAX_BATCH)
      bytes += (this.#queue[this.#inFlight++] as Buffer).length;
    const lines = this.#queue.slice(0, this.#inFlight);
    const fd = this.#fd;
    write(fd, lines.length === 1 ? (lines[0] as Buffer) : Buffer.concat(lines), (error, written) => {
      this.#inFlight = 0;
      this.#wasWritten(fd, error, written);
      if (this.#inFlight > 0) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  #wasWritten(fd: number, error: NodeJS.ErrnoException | null, written: number): void {
    if (this.#fd !== fd && fd > 2) close(fd, () => {});
    if (this.#fd === -1) return;
    const failed = this.#wrote(fd, error ? 0 : written) ? undefined : (error?.code ?? "ENOSPC");
    if (failed !== undefined) return this.#failed(failed);
    this.#delay = FIRST_RETRY;
    if (this.#queue.length > 0) this.#writeBehind();
    else this.#reportDropped();
  }

  /** The whole queue in one write: the disk may be slow. */
  #writeFileNow(): void {
    if (this.#queue.length === 0) return;
    try {
      this.#wrote(this.#fd, writeSync(this.#fd, Buffer.concat(this.#queue)));
    } catch {}
  }

  /**
   * So many bytes of the queue were written to a file. What was written of a line that was cut off is removed.
   * @returns whether a line was written, and none was cut off
   */
  #wrote(fd: number, written: number): boolean {
    let left = written;
    for (let line = this.#queue[0]; left > 0 && line !== undefined; line = this.#queue[0]) {
      if (left < line.length) {
        if (!removeHalfLine(fd, line.subarray(0, left))) this.#discard(1);
        return false;
      }
      left -= line.length;
      this.#queued -= line.length;
      this.#queue.shift();
    }
    return written > 0;
  }

  #reportDropped(): void {
    if (this.#broken) return;
    const lost = this.#unreported;
    this.#unreported = 0;
    if (lost > 0) this.#onDropped(lost);
  }

  /** @returns the error code that stopped it, `undefined` when the queue is empty */
  #writeQueued(): string | undefined {
    for (let line = this.#queue[0]; line !== undefined; line = this.#queue[0]) {
      let written: number;
      try {
        written = writeSync(this.#fd, line);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? "EIO";
      }
      this.#delay = FIRST_RETRY;
      this.#queued -= written;
      this.#partial = written < line.length;
      if (this.#partial) this.#queue[0] = line.subarray(written);
      else this.#queue.shift();
    }
    return undefined;
  }

  #discard(lines: number): void {
    for (const line of this.#queue.splice(0, lines)) this.#queued -= line.length;
    this.#partial = false;
    this.#drop(lines);
  }

  #drop(lines: number): void {
    this.dropped += lines;
    countDropped(lines);
    this.#unreported += lines;
  }

  #closeFile(): void {
    // Asynchronous: on a network file system close may block, and may report a full disk only now. While a thread writes,
    // it is closed after that: its number could be another file by then.
    if (this.#fd > 2 && this.#inFlight === 0) close(this.#fd, () => {});
  }
}

/** A non-blocking descriptor of standard output (1) or standard error (2). */
function openStandard(fd: 1 | 2): number {
  if (fstatSync(fd).isFile()) return fd;
  try {
    // Opened again: O_NONBLOCK on the inherited one would also apply to every OS process that shares it.
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket, or not Linux. Reading `process.stdout` makes libuv set O_NONBLOCK on pipes and sockets.
    void (fd === 1 ? process.stdout : process.stderr);
    return fd;
  }
}

/**
 * For the exit of an OS process: Node.js then restores the flags of its standard descriptors, also for every OS process
 * that shares them, and the next write to a full socket (a reader that hangs) would block those for ever. It passes
 * over replaced descriptors. Left free, their numbers would go to a thread that is starting, which libuv aborts.
 */
export function closeStandardSockets(): void {
  for (const fd of [1, 2]) {
    if (!fstatSync(fd).isSocket()) continue;
    closeSync(fd);
    openSync("/dev/null", "w");
  }
}

/**
 * For an OS process that has started another one: libuv makes the standard descriptors of a child blocking, and a socket
 * is shared with the parent. Without this the parent's next write to a full one would block.
 */
export function unblockStandardSockets(): void {
  for (const [fd, name] of [
    [1, "stdout"],
    [2, "stderr"],
  ] as const) {
    if (!fstatSync(fd).isSocket()) continue;
    (process[name] as { _handle?: { setBlocking?(on: boolean): void } })._handle?.setBlocking?.(false);
  }
}

/** Blocks the thread: only at close, when the event loop will not run again. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Output of the log: standard output, standard error or a file. A slow or dead reader must not affect the server, so nothing
 * here blocks, throws or grows: a line that cannot be written yet waits in a bounded queue (1 MiB), and a line
 * that does not fit is counted as dropped.
 *
 * Writes are synchronous on a non-blocking descriptor. An asynchronous write to a pipe without a reader occupies
 * a thread of libuv's pool, and Node waits for that thread at exit, for ever. A synchronous write has also
 * reached the kernel before the next statement runs, so the last report before an exit is not lost.
 */
import { close, closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { countDropped } from "./dropped-lines.js";
import { isStderr, openLogFile } from "./log-file.js";

const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;

/** Maximum bytes queued for a slow reader. */
const MAX_QUEUED = 1 << 20;
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
    this.#writeQueued();
    // The rest of a partly written line would be an invalid line in the new file.
    if (this.#partial) this.#discard(1);
    this.#closeFile();
    this.#fd = fd;
    this.#broken = false;
    this.#drain();
  }

  /** Writes queued lines for at most 250 ms, drops the rest and closes the descriptor. */
  close(): void {
    if (this.#fd === -1) return;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let tries = FINAL_TRIES; this.#writeQueued() === "EAGAIN" && tries > 0; tries--) sleep(FINAL_PAUSE);
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
    const openError = this.#writeQueued();
    if (openError !== undefined) {
      if (UNRECOVERABLE.includes(openError)) {
        this.#broken = true;
        return this.#discard(this.#queue.length);
      }
      this.#timer = clock.setTimeout(() => this.#drain(), this.#delay, true);
      this.#delay = Math.min(this.#delay * 2, MAX_RETRY);
      return;
    }
    this.#reportDropped();
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
    // Asynchronous: on a network file system close may block, and may report a full disk only now.
    if (this.#fd > 2) close(this.#fd, () => {});
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

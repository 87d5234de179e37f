/**
 * Where log lines go: standard output or a file. A server must not care whether somebody reads its log, so
 * nothing here waits, throws or grows: what cannot be written now waits in a bounded queue, what does not fit
 * is counted as dropped.
 *
 * Writes are synchronous on a descriptor that never blocks. An asynchronous write to a pipe that nobody reads
 * holds a thread of libuv's pool, and Node waits for that thread at exit, for ever. A synchronous one has also
 * reached the kernel before the next statement runs, so the last report before an exit is not lost.
 */
import { close, constants, fstatSync, openSync, writeSync } from "node:fs";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { countLoss } from "./dropped-lines.js";
import { openLogFile } from "./log-file.js";

const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;

/** Bytes that wait for a slow reader. */
const MOST_QUEUED = 1 << 20;
/** A reader is tried again after this long, then ever less often. */
const FIRST_RETRY = 5;
const LAST_RETRY = 200;
/** At the end: how often, and how many milliseconds apart, a reader that is merely slow is given a chance. */
const LAST_TRIES = 50;
const LAST_PAUSE = 5;

/** These never get better: the other end has gone. */
const FINAL: readonly unknown[] = ["EPIPE", "EBADF", "ECONNRESET"];

export class Sink {
  /** Lines that were given up. */
  dropped = 0;
  /** Why standard output is used in the place of the file. */
  readonly trouble: unknown = undefined;
  readonly #file: string | undefined;
  readonly #onLoss: (lines: number) => void;
  #fd: number;
  #queue: Buffer[] = [];
  #queued = 0;
  /** The first in the queue has been written in part. */
  #torn = false;
  #gone = false;
  #untold = 0;
  #delay = FIRST_RETRY;
  #timer: TimerRef | undefined = undefined;

  /**
   * @param file default standard output
   * @param onLoss told how many lines were lost, once there is room for saying so
   * @param fallback whether standard output is used when the file cannot be opened
   * @throws NodeJS.ErrnoException when the file cannot be opened, without `fallback`
   */
  constructor(file: string | undefined, onLoss: (lines: number) => void, fallback = false) {
    this.#file = file;
    this.#onLoss = onLoss;
    try {
      this.#fd = file === undefined ? openStdout() : openLogFile(file);
    } catch (error) {
      if (!fallback) throw error;
      this.trouble = error;
      this.#fd = openStdout();
    }
  }

  write(text: string): void {
    const line = Buffer.from(text);
    // Where the gap is; but in a queue that is about full, every other line would tell of one.
    if (this.#untold > 0 && this.#queued < MOST_QUEUED / 2) this.#tell();
    if (this.#gone || this.#queued + line.length > MOST_QUEUED) return this.#lose(1);
    this.#queue.push(line);
    this.#queued += line.length;
    if (this.#timer === undefined) this.#drain();
  }

  /**
   * Goes on in a new file of the same name, after the old one was moved away. Nothing is lost between them.
   * @throws NodeJS.ErrnoException when it cannot be opened; the old one stays in use
   */
  reopen(): void {
    if (this.#file === undefined || this.#fd === -1) return;
    const fd = openLogFile(this.#file);
    this.#put();
    // The rest of a torn line would be no line in the new file.
    if (this.#torn) this.#forget(1);
    this.#release();
    this.#fd = fd;
    this.#gone = false;
    this.#drain();
  }

  /** Writes what can be written within a quarter of a second, and gives up the rest. */
  close(): void {
    if (this.#fd === -1) return;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let tries = LAST_TRIES; this.#put() === "EAGAIN" && tries > 0; tries--) pause(LAST_PAUSE);
    if (this.#queue.length === 0) this.#tell();
    clock.clearTimeout(this.#timer);
    this.#gone = true;
    this.#forget(this.#queue.length);
    this.#release();
    this.#fd = -1;
  }

  /** Writes what waits; comes back later when it has to. */
  #drain(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const trouble = this.#put();
    if (trouble !== undefined) {
      if (FINAL.includes(trouble)) {
        this.#gone = true;
        return this.#forget(this.#queue.length);
      }
      this.#timer = clock.setTimeout(() => this.#drain(), this.#delay, true);
      this.#delay = Math.min(this.#delay * 2, LAST_RETRY);
      return;
    }
    this.#tell();
  }

  #tell(): void {
    if (this.#gone) return;
    const lost = this.#untold;
    this.#untold = 0;
    if (lost > 0) this.#onLoss(lost);
  }

  /** @returns the code of the error that ended it, if one did */
  #put(): string | undefined {
    for (let line = this.#queue[0]; line !== undefined; line = this.#queue[0]) {
      let written: number;
      try {
        written = writeSync(this.#fd, line);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? "EIO";
      }
      this.#delay = FIRST_RETRY;
      this.#queued -= written;
      this.#torn = written < line.length;
      if (this.#torn) this.#queue[0] = line.subarray(written);
      else this.#queue.shift();
    }
    return undefined;
  }

  #forget(lines: number): void {
    for (const line of this.#queue.splice(0, lines)) this.#queued -= line.length;
    this.#torn = false;
    this.#lose(lines);
  }

  #lose(lines: number): void {
    this.dropped += lines;
    countLoss(lines);
    this.#untold += lines;
  }

  #release(): void {
    // Not the synchronous one: on a network file system the news of a full disk may come as late as here.
    if (this.#fd > 2) close(this.#fd, () => {});
  }
}

/** Standard output, so that writing to it does not block. */
function openStdout(): number {
  if (fstatSync(1).isFile()) return 1;
  try {
    // Opened anew: the flag would otherwise be seen by everybody who has inherited it.
    return openSync("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket, or not Linux. The mere look at `process.stdout` makes libuv set the flag on pipes and sockets.
    void process.stdout;
    return 1;
  }
}

/** Stops the whole OS process: only for its last moments, when no turn of the loop will come. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

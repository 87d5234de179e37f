/**
 * One end of a link: records over a UNIX socket. What is sent in one turn of the event loop, by however many
 * connections, leaves in one write: alone a record costs 9 us of CPU, among 64 of a turn 0.4 us.
 */
import type { Socket, SocketOwner } from "../transport/transport.js";
import { MalformedRecord } from "./records/malformed-record.js";
import { RecordReader, type RecordRun } from "./records/record-reader.js";
import { type LinkRecord, RecordWriter } from "./records/records.js";

export interface LinkOwner {
  /** The body is valid only during the call. What it throws ends the link, and goes up. */
  onRecord(record: LinkRecord): void;
  /** All that waited was written. */
  onDrained(): void;
  /** Called once. */
  onClosed(): void;
}

export class LinkSocket implements SocketOwner {
  readonly writer = new RecordWriter();
  readonly #socket: Socket;
  readonly #owner: LinkOwner;
  readonly #reader = new RecordReader();
  #armed = false;
  /** The kernel has not taken all of the last write. */
  #writing = false;
  #paused = false;
  #reading = false;
  #closed = false;

  constructor(socket: Socket, owner: LinkOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.start(this);
  }

  /** Bytes that were sent and not yet taken by the kernel. */
  get waiting(): number {
    return this.writer.length + (this.#writing ? this.#socket.unsent : 0);
  }

  /** Something was added to `writer`: it leaves at the end of this turn. */
  flushSoon(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#armed = false;
    const { writer } = this;
    // While a write is outstanding, what comes waits behind it.
    if (this.#writing || this.#closed || writer.length === 0) return;
    if (this.#socket.write(writer.written)) {
      writer.clear();
      this.#owner.onDrained();
    } else {
      this.#writing = true;
      writer.giveAway();
    }
  };

  /** Handles no further record until `resume`: the kernel pushes back on the other end. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    this.#read();
  }

  /** In `onRecord`: takes the records that follow, as long as they are alike. See `RecordReader.run`. */
  run(record: LinkRecord, least: number): RecordRun {
    return this.#reader.run(record, least);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  onChunk(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#read();
  }

  onBytes(shared: Buffer, length: number): void {
    this.#reader.push(shared, length);
    this.#read();
  }

  onEnd(): void {
    this.close();
  }

  onWritten(): void {
    this.#writing = false;
    if (this.writer.length > 0) this.#flush();
    else this.#owner.onDrained();
  }

  onClosed(): void {
    this.#closed = true;
    this.#owner.onClosed();
  }

  #read(): void {
    // A record's handler may resume: the loop below goes on by itself.
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#paused && !this.#closed) {
        const record = this.#reader.next();
        if (record === undefined) break;
        this.#owner.onRecord(record);
      }
    } catch (error) {
      this.close();
      // Bytes that are no records.
      if (!(error instanceof MalformedRecord)) throw error;
    } finally {
      this.#reading = false;
      this.#reader.keep();
    }
  }
}

/**
 * Write side of a TLS socket on the handle transport, and how it ends.
 *
 * A write always completes asynchronously: encrypted and given to the kernel at once, but the next may only follow in
 * the check phase of the event loop, and before that ends the OS process. What is written meanwhile is queued (64 KiB)
 * and leaves then. A request that is not in use has no async id, which is asked before each write: so the usual write,
 * alone in its turn, needs no callback at all.
 */
import { getSystemErrorName } from "node:util";
import { cleanContext } from "../async-context.js";
import { type HandleSocket, uv } from "../handle/handle-socket.js";
import type { StreamHandle } from "../handle/node-bindings.js";
import type { HandshakeOwner } from "../transport.js";
import { type Outstanding, QueuedBytes } from "./queued-bytes.js";
import { CLOSED, NEXT_FLAG, OPEN, SecureSocket } from "./secure-socket.js";
import type { SecureTerms } from "./terms.js";
import { DETACHED, type TlsWrap, type TlsWriteRequest } from "./tls-binding.js";
import { returnRequest, takeRequest } from "./write-requests.js";

const UV_ENOTCONN = -107;
const NOTHING = Buffer.alloc(0);

/** The other side has ended its sending. */
export const ENDED = NEXT_FLAG;
/** `end` was called. */
const FIN_ASKED = NEXT_FLAG << 1;
/** close_notify and FIN are sent. */
const FIN_SENT = NEXT_FLAG << 2;
/** The shutdown of the handle is done. */
export const FIN_DONE = NEXT_FLAG << 3;
/** The kernel has not taken all of the last write. */
const WRITING = NEXT_FLAG << 4;
/** `destroy` was called while bytes were queued that the owner takes for written. */
const LAST = NEXT_FLAG << 5;
/** The first flag of the read side. */
export const READ_FLAG = NEXT_FLAG << 6;

export abstract class SecureHandleWriter extends SecureSocket {
  protected readonly raw: StreamHandle;
  protected ssl: TlsWrap | undefined = undefined;
  #request: TlsWriteRequest | undefined = undefined;
  #queued: QueuedBytes | undefined = undefined;
  #outstanding: Outstanding | undefined = undefined;

  constructor(plain: HandleSocket, terms: SecureTerms, owner: HandshakeOwner) {
    super(plain, terms, owner);
    this.raw = plain.handle;
  }

  write(bytes: Buffer): boolean {
    if (!this.is(OPEN) || this.is(CLOSED | FIN_ASKED)) return true;
    if (this.#cycling) return this.#enqueue(bytes);
    return this.#note(this.#begin(bytes), bytes.length);
  }

  writeTwo(head: Buffer, body: Uint8Array): boolean {
    if (!this.is(OPEN) || this.is(CLOSED | FIN_ASKED)) return true;
    if (this.#cycling) return this.#enqueue(Buffer.concat([head, body]));
    return this.#note(this.#begin(head, body), head.length + body.length);
  }

  /** Whether a write has not come round in the event loop: another one would end the OS process. */
  get #cycling(): boolean {
    return this.#request !== undefined && this.#request.getAsyncId() !== DETACHED;
  }

  /** @returns whether the kernel has taken all of it */
  #begin(bytes: Uint8Array, more?: Uint8Array): boolean {
    const ssl = this.ssl as TlsWrap;
    this.#request ??= takeRequest(this);
    const request = this.#request;
    // An error may be told before this returns.
    request.oncomplete = onWritten;
    const failed =
      more === undefined ? ssl.writeBuffer(request, bytes) : ssl.writev(request, [bytes, more], true);
    if (failed !== 0) this.fail(failed);
    if (this.is(CLOSED)) return true;
    if (this.raw.writeQueueSize > 0) {
      this.flags |= WRITING;
      return false;
    }
    request.oncomplete = undefined;
    return true;
  }

  #note(done: boolean, length: number): boolean {
    if (!done) this.#outstanding = { held: undefined, length, taken: this.#taken };
    return done;
  }

  #enqueue(bytes: Buffer): boolean {
    (this.#request as TlsWriteRequest).oncomplete = onWritten;
    if (!this.is(WRITING)) {
      this.#queued ??= new QueuedBytes();
      if (this.#queued.append(bytes)) return true;
    }
    const length = (this.#queued?.length ?? 0) + this.raw.writeQueueSize + bytes.length;
    this.#outstanding = { held: bytes, length, taken: this.#taken };
    return false;
  }

  /** Bytes of ciphertext that the kernel has taken. */
  get #taken(): number {
    return this.raw.bytesWritten - this.raw.writeQueueSize;
  }

  /** Not from the handle's queue alone: a long write goes there in pieces of 160 KiB, so that would rise again. */
  get unsent(): number {
    if (this.#outstanding === undefined || this.is(CLOSED)) return 0;
    const { length, taken } = this.#outstanding;
    return Math.max(1, length - (this.#taken - taken));
  }

  /** @internal The request has come round: another write may follow, with another request. */
  written(status: number): void {
    this.flags &= ~WRITING;
    this.#request = undefined;
    if (this.is(CLOSED) && !this.is(LAST)) return;
    if (status < 0) return this.fail(status);
    const done = this.#flushQueue();
    if (this.is(LAST)) return this.#closePlain(false);
    if (!done || this.is(CLOSED)) return;
    const waited = this.#outstanding !== undefined;
    this.#outstanding = undefined;
    if (waited) this.owner.onWritten();
    if (this.is(FIN_ASKED) && !this.is(CLOSED)) this.#finish();
  }

  /** Writes what was queued. @returns whether the kernel has all of it */
  #flushQueue(): boolean {
    const queued = this.#queued;
    const held = this.#outstanding?.held;
    if (held !== undefined && this.#outstanding) this.#outstanding.held = undefined;
    this.#queued = undefined;
    if (queued === undefined) return held === undefined || this.#begin(held);
    const done = this.#begin(queued.bytes, held);
    queued.free();
    return done;
  }

  // -- the end ------------------------------------------------------------------------------------------

  end(): void {
    if (this.is(CLOSED | FIN_ASKED)) return;
    if (!this.is(OPEN)) return this.destroy();
    this.flags |= FIN_ASKED;
    this.#finish();
  }

  /** Sends close_notify and FIN after the write that is on its way, but not within a callback of the handshake. */
  #finish(): void {
    if (this.#cycling) (this.#request as TlsWriteRequest).oncomplete = onWritten;
    else finishLater(this);
  }

  /** @internal */
  finishNow(): void {
    if (this.is(LAST)) return this.#closePlain(false);
    if (this.is(CLOSED | FIN_SENT)) return;
    if (this.#cycling) return this.#finish();
    // Messages of the handshake may wait for the kernel: FIN would overtake them and close_notify.
    if (this.raw.writeQueueSize > 0) {
      this.#begin(NOTHING);
      return this.#finish();
    }
    this.flags |= FIN_SENT;
    const request = new uv.ShutdownWrap() as object as Shutdown;
    request.socket = this;
    // While it is under way, node's request refers to the TLSWrap without keeping it.
    request.ssl = this.ssl;
    request.oncomplete = undefined;
    const failed = (this.ssl as TlsWrap).shutdown(request);
    if (failed < 0 && failed !== UV_ENOTCONN) return this.fail(failed);
    // The other side has ended before, and the kernel has close_notify: to close sends FIN, a turn of the loop earlier.
    if (failed !== 0 || (this.is(ENDED) && this.raw.writeQueueSize === 0)) return this.finDone();
    request.oncomplete = onShutdown;
  }

  /** @internal close_notify and FIN were sent. */
  finDone(): void {
    this.flags |= FIN_DONE;
    if (this.is(ENDED)) this.destroy();
  }

  destroy(): void {
    if (this.is(CLOSED)) return;
    this.flags |= CLOSED;
    const written = this.#queued !== undefined && this.#outstanding === undefined;
    if (!written || this.raw.writeQueueSize > 0) return this.#closePlain(false);
    // The owner takes them for written: they leave in this turn, or never. After a failed write of its own (session
    // tickets) `TLSWrap` completes no other one.
    this.flags |= LAST;
    this.ssl?.readStop();
    finishLater(this);
  }

  reset(): void {
    if (this.is(CLOSED) && !this.is(LAST)) return;
    this.flags |= CLOSED;
    this.#closePlain(true);
  }

  #closePlain(reset: boolean): void {
    this.flags &= ~LAST;
    this.ssl?.readStop();
    if (reset) this.plain.reset();
    else this.plain.destroy();
  }

  /** The plain socket is closed, in a later turn than that of the call: OpenSSL's memory may be freed. */
  override onClosed(code: string | undefined): void {
    const ssl = this.ssl;
    this.#queued?.free();
    this.#queued = this.#outstanding = undefined;
    super.onClosed(code);
    this.ssl = undefined;
    ssl?.destroySSL();
  }

  /** @internal An error of the system. */
  fail(error: number): void {
    this.code ??= getSystemErrorName(error);
    this.#queued?.free();
    this.#queued = undefined;
    if (this.is(LAST)) this.#closePlain(false);
    else this.destroy();
  }
}

function onWritten(this: TlsWriteRequest, status: number): void {
  const socket = this.socket as SecureHandleWriter;
  socket.written(status);
  returnRequest(this);
}

/** A request to send close_notify and FIN. */
interface Shutdown {
  oncomplete: ((this: Shutdown) => void) | undefined;
  socket: SecureHandleWriter;
  ssl: TlsWrap | undefined;
}

function onShutdown(this: Shutdown): void {
  this.socket?.finDone();
}

/** Sockets whose close_notify and FIN leave in the check phase, when their writes have come round. */
let finishing: SecureHandleWriter[] = [];

function finishLater(socket: SecureHandleWriter): void {
  if (finishing.push(socket) === 1) setImmediate(finishAll);
}

function finishAll(): void {
  const present = finishing;
  finishing = [];
  for (const socket of present) cleanContext().runInAsyncScope(socket.finishNow, socket);
}

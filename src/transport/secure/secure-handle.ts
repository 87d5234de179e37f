/**
 * TLS on the handle transport: node's `TLSWrap` over our own libuv handle, without a stream.
 *
 * A write always completes asynchronously: encrypted and given to the kernel at once, but the next may only follow in
 * the check phase of the event loop, and before that ends the OS process. What is written meanwhile is queued (64 KiB)
 * and leaves then. A request that is not in use has no async id, which is asked before each write: so the usual write,
 * alone in its turn, needs no callback at all.
 */
import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { getSystemErrorName } from "node:util";
import { cleanContext } from "../async-context.js";
import { type HandleSocket, OWNER, READ_BUFFER, uv } from "../handle-socket.js";
import type { ShutdownRequest, StreamHandle } from "../node-bindings.js";
import type { HandshakeOwner, SocketOwner } from "../transport.js";
import { failureOf, UNKNOWN_NAME, unknownName } from "./failure-text.js";
import { CLOSED, NEXT_FLAG, OPEN, SecureSocket } from "./secure-socket.js";
import type { ClientTerms, SecureTerms, ServerTerms, TlsInfo } from "./terms.js";
import { DETACHED, nativeContext, type TlsWrap, type TlsWriteRequest, tlsWrap } from "./tls-binding.js";
import { tlsInfo } from "./tls-info.js";
import { QueuedBytes, returnRequest, takeRequest } from "./write-requests.js";

const UV_EOF = -4095;
const UV_EALREADY = -114;
const UV_ENOTCONN = -107;
const NOTHING = Buffer.alloc(0);

/** The other side has ended its sending. */
const ENDED = NEXT_FLAG;
/** It did so with close_notify. */
const NOTIFIED = NEXT_FLAG << 1;
/** `end` was called. */
const FIN_ASKED = NEXT_FLAG << 2;
/** close_notify and FIN are sent. */
const FIN_SENT = NEXT_FLAG << 3;
/** The kernel has not taken all of the last write. */
const WRITING = NEXT_FLAG << 4;
const PAUSED = NEXT_FLAG << 5;
/** `destroy` was called while bytes were queued that the owner takes for written. */
const LAST = NEXT_FLAG << 6;
/** The shutdown of the handle is done. */
const FIN_DONE = NEXT_FLAG << 7;

const wrap = tlsWrap();

/** A write that has returned `false`. */
interface Outstanding {
  /** Not written yet: the write before it is on its way. */
  held: Uint8Array | undefined;
  /** Bytes that wait, with those queued before. */
  readonly length: number;
  /** Bytes of ciphertext that the kernel had taken by then. */
  readonly taken: number;
}

export class SecureHandleSocket extends SecureSocket {
  readonly #raw: StreamHandle;
  #ssl: TlsWrap | undefined = undefined;
  #request: TlsWriteRequest | undefined = undefined;
  #queued: QueuedBytes | undefined = undefined;
  #outstanding: Outstanding | undefined = undefined;
  #info: TlsInfo | undefined = undefined;

  constructor(plain: HandleSocket, terms: SecureTerms, owner: HandshakeOwner) {
    super(plain, terms, owner);
    this.#raw = plain.handle;
  }

  protected startTls(terms: SecureTerms, received: Buffer | undefined): void {
    if (wrap === undefined)
      return this.refuse("tls_error", "this Node has no TLS over libuv's handles", "ENOTSUP");
    const server = terms.side === "server";
    const ssl = wrap(this.#raw, nativeContext(terms.context), server, false);
    // The only reference from the handle to the TLSWrap, without which it would be collected.
    this.#ssl = ssl;
    ssl[OWNER] = this;
    ssl.onread = onRead;
    ssl.onhandshakedone = onHandshakeDone;
    ssl.onerror = onError;
    ssl.useUserBuffer(READ_BUFFER);
    if (terms.alpn !== undefined) ssl.setALPNProtocols(terms.alpn);
    if (terms.side === "server") prepareServer(ssl, terms);
    else this.#prepareClient(ssl, terms);
    const failed = ssl.readStart();
    if (failed !== 0 && failed !== UV_EALREADY) return this.fail(failed);
    if (!server) ssl.start();
    if (received !== undefined) ssl.receive(received);
  }

  #prepareClient(ssl: TlsWrap, { serverName, session, onSession }: ClientTerms): void {
    ssl.setVerifyMode(true, false);
    if (isIP(serverName) === 0) ssl.setServername(serverName);
    if (session !== undefined) ssl.setSession(session);
    if (onSession === undefined) return;
    ssl.onnewsession = (_id, made) => this.sessionMade(onSession, made);
    ssl.enableSessionCallbacks();
  }

  get tls(): TlsInfo | undefined {
    if (this.#info === undefined && this.#ssl !== undefined && this.is(OPEN))
      this.#info = tlsInfo(this.#ssl, () => (this.is(ENDED) ? this.is(NOTIFIED) : undefined));
    return this.#info;
  }

  /** It was started by its handshake, and may have been paused since. */
  start(owner: SocketOwner): void {
    this.owner = owner;
    this.resume();
  }

  pause(): void {
    if (this.is(CLOSED) || !this.is(OPEN)) return;
    this.flags |= PAUSED;
    this.#ssl?.readStop();
  }

  resume(): void {
    if (this.is(CLOSED | ENDED) || !this.is(PAUSED)) return;
    this.flags &= ~PAUSED;
    this.#ssl?.readStart();
  }

  // -- writing ------------------------------------------------------------------------------------------

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
    const ssl = this.#ssl as TlsWrap;
    this.#request ??= takeRequest(this);
    const request = this.#request;
    // An error may be told before this returns.
    request.oncomplete = onWritten;
    const failed =
      more === undefined ? ssl.writeBuffer(request, bytes) : ssl.writev(request, [bytes, more], true);
    if (failed !== 0) this.fail(failed);
    if (this.is(CLOSED)) return true;
    if (this.#raw.writeQueueSize > 0) {
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
    const length = (this.#queued?.length ?? 0) + this.#raw.writeQueueSize + bytes.length;
    this.#outstanding = { held: bytes, length, taken: this.#taken };
    return false;
  }

  /** Bytes of ciphertext that the kernel has taken. */
  get #taken(): number {
    return this.#raw.bytesWritten - this.#raw.writeQueueSize;
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
    if (this.is(CLOSED | FIN_SENT)) return;
    if (this.#cycling) return this.#finish();
    // Messages of the handshake may wait for the kernel: FIN would overtake them and close_notify.
    if (this.#raw.writeQueueSize > 0) {
      this.#begin(NOTHING);
      return this.#finish();
    }
    this.flags |= FIN_SENT;
    const request: ShutdownRequest & { socket?: SecureHandleSocket } = new uv.ShutdownWrap();
    request.socket = this;
    request.oncomplete = onShutdown;
    const failed = (this.#ssl as TlsWrap).shutdown(request);
    if (failed === 1 || failed === UV_ENOTCONN) this.finDone();
    else if (failed < 0) this.fail(failed);
  }

  /** @internal close_notify and FIN were sent. */
  finDone(): void {
    this.flags |= FIN_DONE;
    if (this.is(ENDED)) this.destroy();
  }

  destroy(): void {
    if (this.is(CLOSED)) return;
    this.flags |= CLOSED;
    if (this.#queued === undefined || this.#outstanding !== undefined) return this.#closePlain(false);
    // The owner takes them for written: they leave first.
    this.flags |= LAST;
    this.#ssl?.readStop();
  }

  reset(): void {
    if (this.is(CLOSED) && !this.is(LAST)) return;
    this.flags |= CLOSED;
    this.#closePlain(true);
  }

  #closePlain(reset: boolean): void {
    this.flags &= ~LAST;
    this.#ssl?.readStop();
    if (reset) this.plain.reset();
    else this.plain.destroy();
  }

  /** The plain socket is closed, in a later turn than that of the call: OpenSSL's memory may be freed. */
  override onClosed(code: string | undefined): void {
    const ssl = this.#ssl;
    this.#queued?.free();
    this.#queued = this.#outstanding = undefined;
    super.onClosed(code);
    this.#ssl = undefined;
    ssl?.destroySSL();
  }

  // -- what the handle says -------------------------------------------------------------------------------

  /** @internal `length` bytes of plaintext are in the shared read buffer. */
  received(length: number): void {
    // Not before the other side is accepted.
    if ((this.flags & (OPEN | CLOSED)) === OPEN) this.owner.onBytes(READ_BUFFER, length);
  }

  /** @internal close_notify or FIN. */
  eof(): void {
    if (this.is(CLOSED | ENDED)) return;
    this.flags |= ENDED;
    // After FIN libuv has stopped reading the handle by itself; while paused, no FIN is read.
    if (this.is(PAUSED) || this.#raw.readStart() === UV_EALREADY) this.flags |= NOTIFIED;
    this.#ssl?.readStop();
    this.owner.onEnd();
    if (this.is(FIN_DONE)) this.destroy();
  }

  /** @internal An error of the system. */
  fail(error: number): void {
    this.code ??= getSystemErrorName(error);
    if (this.is(LAST)) this.#closePlain(false);
    else this.destroy();
  }

  /** @internal */
  tlsFailed(error: NodeJS.ErrnoException): void {
    const { reason, message, code } = failureOf(error);
    if (!this.is(OPEN)) return this.refuse(reason, message, code);
    this.code ??= "EPROTO";
    this.destroy();
  }

  /** @internal */
  handshakeDone(): void {
    if (this.#ssl) this.secured(this.#ssl);
  }

  /** @internal The client asks for a server name, or for none. */
  chooseContext(name: string | undefined): void {
    const ssl = this.#ssl;
    const terms = this.terms as ServerTerms;
    if (ssl === undefined || this.is(CLOSED)) return;
    let context: SecureContext | undefined;
    try {
      context = name ? terms.contextFor(name) : terms.context;
    } catch (error) {
      return this.refuse("tls_error", (error as Error).message, "CONTEXT");
    }
    if (context === undefined) return this.refuse("tls_error", unknownName(name), UNKNOWN_NAME);
    ssl.sni_context = nativeContext(context);
    ssl.certCbDone();
  }
}

function prepareServer(ssl: TlsWrap, { byName, clientCerts }: ServerTerms): void {
  ssl.setVerifyMode(clientCerts !== "none", clientCerts === "required");
  if (!byName) return;
  ssl.oncertcb = onCertificateAsked;
  ssl.enableCertCb();
}

type Secured = TlsWrap & { [OWNER]?: SecureHandleSocket };

function onRead(this: Secured): void {
  const socket = this[OWNER];
  const length = uv.state[uv.READ] as number;
  if (length > 0) socket?.received(length);
  else if (length === UV_EOF) socket?.eof();
  else if (length < 0) socket?.fail(length);
}

function onHandshakeDone(this: Secured): void {
  this[OWNER]?.handshakeDone();
}

function onError(this: Secured, error: NodeJS.ErrnoException): void {
  this[OWNER]?.tlsFailed(error);
}

function onCertificateAsked(this: Secured, { servername }: { readonly servername?: string }): void {
  this[OWNER]?.chooseContext(servername?.toLowerCase());
}

function onWritten(this: TlsWriteRequest, status: number): void {
  const socket = this.socket as SecureHandleSocket;
  socket.written(status);
  returnRequest(this);
}

function onShutdown(this: ShutdownRequest & { socket?: SecureHandleSocket }): void {
  this.socket?.finDone();
}

/** Sockets whose close_notify and FIN leave in the check phase, when their writes have come round. */
let finishing: SecureHandleSocket[] = [];

function finishLater(socket: SecureHandleSocket): void {
  if (finishing.push(socket) === 1) setImmediate(finishAll);
}

function finishAll(): void {
  const present = finishing;
  finishing = [];
  for (const socket of present) cleanContext().runInAsyncScope(socket.finishNow, socket);
}

/**
 * TLS on the stream transport: `tls.TLSSocket` over the accepted `net.Socket`. Its writes never complete at once, as on
 * the handle; what is written meanwhile is queued here and leaves in one piece: the stream would keep a copy of each.
 */
import { isIP, type Socket as NetSocket } from "node:net";
import { type SecureContext, TLSSocket, type TLSSocketOptions } from "node:tls";
import { StreamSocket } from "../stream/stream-socket.js";
import type { HandshakeOwner, SocketOwner } from "../transport.js";
import { failureOf, UNKNOWN_NAME, unknownName } from "./failure-text.js";
import { type Outstanding, QueuedBytes } from "./queued-bytes.js";
import { CLOSED, NEXT_FLAG, OPEN, SecureSocket } from "./secure-socket.js";
import { type ClientTerms, firstContext, type SecureTerms, type ServerTerms, type TlsInfo } from "./terms.js";
import type { TlsSession, TlsWrap } from "./tls-binding.js";
import { tlsInfo } from "./tls-info.js";

/** `end` was called. */
const FIN_ASKED = NEXT_FLAG;
/** A write has not come round in the event loop. */
const CYCLING = NEXT_FLAG << 1;

/** libuv's stream below TLS. */
interface RawHandle {
  readonly writeQueueSize: number;
  readonly bytesWritten: number;
}

interface Handle extends TlsSession, Pick<TlsWrap, "enableSessionCallbacks" | "onnewsession"> {
  readonly _parent?: RawHandle;
  receive?(bytes: Buffer): void;
}

/** Parts of a `TLSSocket` that are not in its types. */
interface Internals {
  readonly _handle?: Handle | null;
  /** From here on errors destroy the socket. */
  _releaseControl(): boolean;
  setServername(name: string): void;
  setSession(session: Buffer): void;
  _start(): void;
}

type Tls = TLSSocket & Internals;

export class SecureStreamSocket extends SecureSocket {
  readonly #net: NetSocket & { resetAndClosing?: boolean };
  #tls: Tls | undefined = undefined;
  #inner: StreamSocket | undefined = undefined;
  #queued: QueuedBytes | undefined = undefined;
  #outstanding: Outstanding | undefined = undefined;
  #info: TlsInfo | undefined = undefined;

  constructor(plain: StreamSocket, terms: SecureTerms, owner: HandshakeOwner) {
    super(plain, terms, owner);
    this.#net = plain.stream;
  }

  protected startTls(terms: SecureTerms, received: Buffer | undefined): void {
    const net = this.#net;
    (this.plain as StreamSocket).release();
    this.plain.setOwner(NOBODY);
    const tls = new TLSSocket(net, optionsOf(terms, received)) as Tls;
    this.#tls = tls;
    this.#inner = new StreamSocket(tls, this.plain.peer);
    this.#inner.start(new Handshake(this));
    tls.on("secure", () => this.#secure(tls)).on("_tlsError", (error: Error) => this.#failed(error));
    if (terms.side === "client") this.#prepareClient(tls, terms);
    if (received === undefined) return;
    // In this call, so that the time it takes is that of the queue of handshakes.
    if (tls._handle?.receive) tls._handle.receive(received);
    else net.unshift(received);
  }

  #prepareClient(tls: Tls, { serverName, session, onSession }: ClientTerms): void {
    if (isIP(serverName) === 0) tls.setServername(serverName);
    if (session !== undefined) tls.setSession(session);
    if (onSession !== undefined && tls._handle) {
      tls._handle.enableSessionCallbacks();
      tls._handle.onnewsession = (_id, made) => this.sessionMade(onSession, made);
    }
    tls._start();
  }

  #secure(tls: Tls): void {
    tls._releaseControl();
    if (tls._handle) this.secured(tls._handle);
    if (this.is(OPEN)) this.#inner?.setOwner(this.owner);
  }

  #failed(error: NodeJS.ErrnoException): void {
    const { reason, message, code } = failureOf(error);
    const ofTls = code === UNKNOWN_NAME || /^ERR_(SSL|TLS|OSSL)/.test(code);
    if (ofTls && !this.is(OPEN)) return this.refuse(reason, message, code);
    if (this.#inner) this.#inner.code = ofTls ? "EPROTO" : code;
    this.destroy();
  }

  get tls(): TlsInfo | undefined {
    const session = this.#tls?._handle;
    if (this.#info === undefined && session && this.is(OPEN)) this.#info = tlsInfo(session, () => undefined);
    return this.#info;
  }

  override setOwner(owner: SocketOwner): void {
    this.owner = owner;
    if (this.is(OPEN)) this.#inner?.setOwner(owner);
  }

  /** It was started by its handshake, and may have been paused since. */
  start(owner: SocketOwner): void {
    this.setOwner(owner);
    this.resume();
  }

  pause(): void {
    if (this.is(OPEN)) this.#inner?.pause();
  }

  resume(): void {
    if (this.is(OPEN)) this.#inner?.resume();
  }

  write(bytes: Buffer): boolean {
    const tls = this.#tls;
    if (tls === undefined || !this.is(OPEN) || this.is(FIN_ASKED) || !tls.writable) return true;
    if (!this.is(CYCLING)) return this.#begin(tls, bytes) || this.#wait(undefined, bytes.length);
    if (this.#outstanding === undefined && (this.#queued ??= new QueuedBytes()).append(bytes)) return true;
    return this.#wait(bytes, bytes.length + (this.#queued?.length ?? 0));
  }

  writeTwo(head: Buffer, body: Uint8Array): boolean {
    return this.write(Buffer.concat([head, body]));
  }

  /** @returns whether the kernel has all of it. Its memory is free: no other write is on its way */
  #begin(tls: Tls, bytes: Uint8Array): boolean {
    this.flags |= CYCLING;
    tls.write(bytes, this.#sent);
    return tls._handle?._parent?.writeQueueSize === 0;
  }

  #wait(held: Uint8Array | undefined, length: number): false {
    this.#outstanding = { held, length, taken: this.#taken };
    return false;
  }

  readonly #sent = (error?: Error | null): void => {
    const tls = this.#tls;
    this.flags &= ~CYCLING;
    if (error || tls === undefined || tls.destroyed) return;
    const queued = this.#queued;
    const held = this.#outstanding?.held;
    this.#queued = undefined;
    if (this.#outstanding) this.#outstanding.held = undefined;
    const bytes = queued && held ? Buffer.concat([queued.bytes, held]) : (queued?.bytes ?? held);
    const done = bytes === undefined || this.#begin(tls, bytes);
    queued?.free();
    if (done && this.#outstanding !== undefined) {
      this.#outstanding = undefined;
      this.owner.onWritten();
    }
    if (this.is(FIN_ASKED) && !this.is(CYCLING)) tls.end();
  };

  /** Bytes of ciphertext that the kernel has taken. */
  get #taken(): number {
    const raw = this.#tls?._handle?._parent;
    return raw === undefined ? 0 : raw.bytesWritten - raw.writeQueueSize;
  }

  get unsent(): number {
    if (this.#outstanding === undefined || this.is(CLOSED)) return 0;
    const { length, taken } = this.#outstanding;
    return Math.max(1, length - (this.#taken - taken));
  }

  end(): void {
    if (!this.is(OPEN)) return this.destroy();
    this.flags |= FIN_ASKED;
    if (!this.is(CYCLING)) this.#tls?.end();
  }

  destroy(): void {
    if (this.is(CLOSED)) return;
    this.flags |= CLOSED;
    if (this.#inner) this.#inner.destroy();
    else this.plain.destroy();
  }

  reset(): void {
    // After FIN libuv refuses it, and `net` would then leave the handle open.
    if (!this.is(CLOSED) && !this.#tls?.writableEnded && this.#net.remotePort !== undefined)
      this.#net.resetAndClosing = true;
    this.destroy();
  }
}

/** Owner of the plain socket, which only carries TLS. */
const NOBODY: SocketOwner = { onChunk() {}, onBytes() {}, onEnd() {}, onWritten() {}, onClosed() {} };

/** Owner of the plaintext until the handshake is done. */
class Handshake implements SocketOwner {
  readonly #socket: SecureStreamSocket;

  constructor(socket: SecureStreamSocket) {
    this.#socket = socket;
  }

  onChunk(): void {}
  onBytes(): void {}
  onWritten(): void {}

  onEnd(): void {
    this.#socket.onEnd();
  }

  onClosed(code: string | undefined): void {
    this.#socket.onClosed(code);
  }
}

function optionsOf(terms: SecureTerms, received: Buffer | undefined): TLSSocketOptions {
  const { alpn } = terms;
  const secureContext = firstContext(terms, received);
  const common = { secureContext, rejectUnauthorized: false, ...(alpn && { ALPNProtocols: alpn }) };
  if (terms.side === "client") return { ...common, isServer: false };
  return {
    ...common,
    isServer: true,
    requestCert: terms.clientCerts !== "none",
    // With it OpenSSL demands a certificate; whether it is accepted is decided after the handshake.
    rejectUnauthorized: terms.clientCerts === "required",
    ...(terms.byName && { SNICallback: (name, done) => chooseContext(terms, name, done) }),
  };
}

type ContextChosen = (error: Error | null, context?: SecureContext) => void;

function chooseContext(terms: ServerTerms, name: string, done: ContextChosen): void {
  const context = terms.contextFor(name.toLowerCase());
  if (context !== undefined) return done(null, context);
  done(Object.assign(new Error(unknownName(name)), { code: UNKNOWN_NAME }));
}

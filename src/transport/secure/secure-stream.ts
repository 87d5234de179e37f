/**
 * TLS on the stream transport: `tls.TLSSocket` over the accepted `net.Socket`. Its writes never complete at once, as on
 * the handle; what is written meanwhile is queued by the stream, so it is copied.
 */
import { isIP, type Socket as NetSocket } from "node:net";
import { type SecureContext, TLSSocket, type TLSSocketOptions } from "node:tls";
import { StreamSocket } from "../stream-socket.js";
import type { HandshakeOwner, SocketOwner } from "../transport.js";
import { failureOf, UNKNOWN_NAME, unknownName } from "./failure-text.js";
import { CLOSED, NEXT_FLAG, OPEN, SecureSocket } from "./secure-socket.js";
import type { ClientTerms, SecureTerms, ServerTerms, TlsInfo } from "./terms.js";
import type { TlsSession, TlsWrap } from "./tls-binding.js";
import { tlsInfo } from "./tls-info.js";

/** `end` was called. */
const FIN_ASKED = NEXT_FLAG;
/** Bytes that the stream may hold besides the write that is on its way. */
const QUEUE_SIZE = 64 * 1024;
const NOTHING = Buffer.alloc(0);

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
  #outstanding: { readonly length: number; readonly taken: number } | undefined = undefined;
  #info: TlsInfo | undefined = undefined;

  constructor(plain: StreamSocket, terms: SecureTerms, owner: HandshakeOwner) {
    super(plain, terms, owner);
    this.#net = plain.stream;
  }

  protected startTls(terms: SecureTerms, received: Buffer | undefined): void {
    const net = this.#net;
    (this.plain as StreamSocket).release();
    this.plain.setOwner(NOBODY);
    const tls = new TLSSocket(net, optionsOf(terms)) as Tls;
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
    const before = tls.writableLength;
    // Behind another write the stream keeps the bytes; first in line they are encrypted when `write` returns.
    tls.write(before === 0 ? bytes : Buffer.from(bytes));
    return this.#note(tls, bytes.length, before);
  }

  writeTwo(head: Buffer, body: Uint8Array): boolean {
    return this.write(Buffer.concat([head, body]));
  }

  /** @returns whether the kernel has all of it, or soon has, and its memory is free */
  #note(tls: Tls, length: number, before: number): boolean {
    const raw = tls._handle?._parent;
    if (raw && raw.writeQueueSize === 0 && before <= QUEUE_SIZE) return true;
    this.#outstanding = { length: length + before, taken: takenBy(raw) };
    // The callback of a second, empty write says that the first is done.
    tls.write(NOTHING, (error) => {
      this.#outstanding = undefined;
      // The callback is also called when the write failed.
      if (!error && !tls.destroyed) this.owner.onWritten();
    });
    return false;
  }

  get unsent(): number {
    if (this.#outstanding === undefined || this.is(CLOSED)) return 0;
    const { length, taken } = this.#outstanding;
    return Math.max(1, length - (takenBy(this.#tls?._handle?._parent) - taken));
  }

  end(): void {
    if (!this.is(OPEN)) return this.destroy();
    this.flags |= FIN_ASKED;
    this.#tls?.end();
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

function optionsOf(terms: SecureTerms): TLSSocketOptions {
  const { context, alpn } = terms;
  const common = { secureContext: context, rejectUnauthorized: false, ...(alpn && { ALPNProtocols: alpn }) };
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

function takenBy(raw: RawHandle | undefined): number {
  return raw === undefined ? 0 : raw.bytesWritten - raw.writeQueueSize;
}

/**
 * TLS on the handle transport: node's `TLSWrap` over our own libuv handle, without a stream. Its write side is in
 * `secure-handle-writer.ts`.
 */
import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { type HandleSocket, OWNER, READ_BUFFER, uv } from "../handle/handle-socket.js";
import type { SocketOwner } from "../transport.js";
import { failureOf, UNKNOWN_NAME, unknownName } from "./failure-text.js";
import { ENDED, FIN_DONE, READ_FLAG, SecureHandleWriter } from "./secure-handle-writer.js";
import { CLOSED, OPEN } from "./secure-socket.js";
import { type ClientTerms, firstContext, type SecureTerms, type ServerTerms, type TlsInfo } from "./terms.js";
import { nativeContext, type TlsWrap, tlsWrap } from "./tls-binding.js";
import { tlsInfo } from "./tls-info.js";

const UV_EOF = -4095;
const UV_EALREADY = -114;

/** The other side has ended with close_notify. */
const NOTIFIED = READ_FLAG;
const PAUSED = READ_FLAG << 1;

const wrap = tlsWrap();

export class SecureHandleSocket extends SecureHandleWriter {
  #info: TlsInfo | undefined = undefined;

  protected startTls(terms: SecureTerms, received: Buffer | undefined): void {
    if (wrap === undefined)
      return this.refuse("tls_error", "this Node has no TLS over libuv's handles", "ENOTSUP");
    // Closed by itself, and its `onClosed` is on its way: node asserts that a handle is there.
    if ((this.plain as HandleSocket).closed) return;
    const server = terms.side === "server";
    const ssl = wrap(this.raw, nativeContext(firstContext(terms, received)), server, false);
    // The only reference from the handle to the TLSWrap, without which it would be collected.
    this.ssl = ssl;
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
    if (this.#info === undefined && this.ssl !== undefined && this.is(OPEN))
      this.#info = tlsInfo(this.ssl, () => (this.is(ENDED) ? this.is(NOTIFIED) : undefined));
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
    this.ssl?.readStop();
  }

  resume(): void {
    if (this.is(CLOSED | ENDED) || !this.is(PAUSED)) return;
    this.flags &= ~PAUSED;
    this.ssl?.readStart();
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
    if (this.is(PAUSED) || this.raw.readStart() === UV_EALREADY) this.flags |= NOTIFIED;
    this.ssl?.readStop();
    this.owner.onEnd();
    if (this.is(FIN_DONE)) this.destroy();
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
    if (this.ssl) this.secured(this.ssl);
  }

  /** @internal The client asks for a server name, or for none. */
  chooseContext(name: string | undefined): void {
    const ssl = this.ssl;
    const terms = this.terms as ServerTerms;
    if (ssl === undefined || this.is(CLOSED)) return;
    // Without a name it is the context that the handshake has begun with.
    if (!name) return ssl.certCbDone();
    let context: SecureContext | undefined;
    try {
      context = terms.contextFor(name);
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

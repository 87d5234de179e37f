/**
 * Opening of a connection: what comes between accept and the first frame. It owns the socket meanwhile.
 *
 *   accepted ──▶ PROXY header ──▶ TLS handshake ──▶ opened: the connection owns the socket
 *       └──────────────┴────────────────┴── wrong bytes, FIN, reset, 5 s ──▶ failed: closed and counted
 *
 * The connection is counted from accept on, and has the deadline; it calls neither `data` nor `enter` before. Bytes
 * behind the header are handed on in the memory in which they came.
 */
import type { ExitReason } from "../../otp/process/exit-reason.js";
import { ProxyParser } from "../../proxy/parser.js";
import { ProxyError } from "../../proxy/proxy-error.js";
import { LOOKED_AT, looksLike } from "../../text/looks-like.js";
import type { Socket, SocketOwner } from "../../transport/transport.js";
import type { Admit, Gate } from "../admission/gate.js";
import { proxyHeaderOf, setProxyHeader } from "./proxied.js";
import type { HandshakeOwner, OpeningTerms } from "./terms.js";

/** The connection, as far as its opening needs it. */
export interface OpeningConnection extends SocketOwner {
  /** Whether it has not ended meanwhile. */
  readonly isOpening: boolean;
  /** The socket to close if the connection ends meanwhile, and to own afterwards. */
  replaceSocket(socket: Socket): void;
  /** Begins the protocol, unless the connection has ended meanwhile. */
  opened(): void;
  /** Ends the connection, unless it has ended. */
  openingFailed(reason: ExitReason, message?: string): void;
}

const RESET: ExitReason = Object.freeze({ shutdown: "reset" });
const PROXY_ERROR: ExitReason = Object.freeze({ shutdown: "proxy_error" });
const ADDRESS_REFUSED: ExitReason = Object.freeze({ shutdown: "address_refused" });
const PROXY_UNTRUSTED: ExitReason = Object.freeze({ shutdown: "proxy_untrusted" });
const UNTRUSTED = "not a trusted proxy: if it is one of yours, add its address to proxy.from (--proxy-from)";
/** The header is not complete, or wrong. */
const NOT_YET = -1;

export class Opening implements HandshakeOwner {
  readonly #connection: OpeningConnection;
  readonly #terms: OpeningTerms;
  readonly #socket: Socket;
  /** Until the header is complete. */
  #parser: ProxyParser | undefined = undefined;
  /** What came behind the header while the gate decides; reading is paused. */
  #held: Buffer | undefined = undefined;
  /** The header is complete, and nothing has come behind it: a health check may end here. */
  #headerOnly = false;

  constructor(connection: OpeningConnection, socket: Socket, terms: OpeningTerms) {
    this.#connection = connection;
    this.#socket = socket;
    this.#terms = terms;
  }

  begin(): void {
    const { proxy } = this.#terms;
    if (proxy === undefined) return this.#handshake(undefined);
    const { address } = this.#socket.peer;
    // Reset while it waited in the backlog, as some health checks do: it has no address any more.
    if (address === "") return this.#connection.openingFailed("normal");
    if (!proxy.trusts(address)) return this.#connection.openingFailed(PROXY_UNTRUSTED, UNTRUSTED);
    this.#parser = new ProxyParser();
    this.#socket.start(this);
  }

  onChunk(chunk: Buffer): void {
    if (this.#headerOnly) return this.#handshake(chunk);
    const end = this.#header(chunk, chunk.length);
    if (end === NOT_YET) return;
    const rest = chunk.subarray(end);
    if (this.#terms.gate?.idle === false) return this.#atGate(this.#terms.gate, Buffer.from(rest));
    if (this.#terms.startTls !== undefined) return this.#afterHeader(rest);
    this.#connection.opened();
    if (rest.length > 0) this.#connection.onChunk(rest);
  }

  onBytes(shared: Buffer, length: number): void {
    if (this.#headerOnly) return this.#handshake(Buffer.from(shared.subarray(0, length)));
    const end = this.#header(shared, length);
    if (end === NOT_YET) return;
    if (this.#terms.gate?.idle === false)
      return this.#atGate(this.#terms.gate, Buffer.from(shared.subarray(end, length)));
    if (this.#terms.startTls !== undefined)
      return this.#afterHeader(Buffer.from(shared.subarray(end, length)));
    this.#connection.opened();
    if (end === length) return;
    // To the front of the shared buffer, where its owner expects the bytes of a read.
    shared.copyWithin(0, end, length);
    this.#connection.onBytes(shared, length - end);
  }

  /** Takes bytes of the PROXY header. @returns the offset behind it, or `NOT_YET` */
  #header(bytes: Buffer, length: number): number {
    const parser = this.#parser;
    if (parser === undefined) return NOT_YET;
    const first = parser.received === 0;
    try {
      const end = parser.take(bytes, 0, length);
      if (parser.header === undefined) return NOT_YET;
      setProxyHeader(this.#connection, parser.header);
      this.#parser = undefined;
      return end;
    } catch (error) {
      this.#parser = undefined;
      if (!(error instanceof ProxyError)) throw error;
      const seen = first ? looksLike(bytes.subarray(0, Math.min(length, LOOKED_AT))) : undefined;
      const hint = seen === undefined || seen.includes("PROXY") ? "" : `, and this looks like ${seen}`;
      this.#connection.openingFailed(PROXY_ERROR, `${error.message}${hint}`);
      return NOT_YET;
    }
  }

  /** The address is that in the header; a proxy's own connection (LOCAL) has none. */
  #atGate(gate: Gate, rest: Buffer): void {
    this.#held = rest;
    this.#socket.pause();
    const header = proxyHeaderOf(this.#connection);
    const address = (header?.relays && header.source?.address) || "";
    const done: Admit = (refused, group) => {
      if (refused !== undefined) return this.#connection.openingFailed(ADDRESS_REFUSED, refused);
      if (!this.#connection.isOpening) return gate.giveBack(group);
      gate.holds(this.#connection, group);
      this.#admitted();
    };
    gate.enter(address, done, this.#connection);
  }

  #admitted(): void {
    const rest = this.#held as Buffer;
    this.#held = undefined;
    this.#socket.resume();
    if (this.#terms.startTls !== undefined) return this.#afterHeader(rest);
    this.#connection.opened();
    if (rest.length > 0) this.#connection.onChunk(rest);
  }

  /** The handshake begins with its first byte. */
  #afterHeader(received: Buffer): void {
    if (received.length > 0) return this.#handshake(received);
    this.#headerOnly = true;
  }

  /** @param received what was read of it; `undefined` when the socket was not started */
  #handshake(received: Buffer | undefined): void {
    this.#headerOnly = false;
    const { startTls } = this.#terms;
    if (startTls === undefined) return this.#connection.opened();
    this.#connection.replaceSocket(startTls(this.#socket, received, this));
  }

  onSecure(): void {
    this.#connection.opened();
  }

  onRefused(reason: "tls_error" | "tls_refused", message: string): void {
    this.#connection.openingFailed({ shutdown: reason }, message);
  }

  /** FIN. Before the first byte it is a port check, as load balancers make them. */
  onEnd(): void {
    const received = this.#parser?.received ?? 0;
    if (received === 0) return this.#connection.openingFailed("normal");
    this.#connection.openingFailed(PROXY_ERROR, `the PROXY header ended after ${received} bytes`);
  }

  onWritten(): void {}

  onClosed(code: string | undefined): void {
    const check = this.#headerOnly || this.#parser?.received === 0;
    this.#connection.openingFailed(code === undefined || check ? "normal" : RESET);
  }
}

/**
 * Node's internal binding of TLS over a libuv stream, as far as the handle transport uses it. `tls.TLSSocket` is built
 * on it; it is not a public API, hence the probe at boot. Three mistakes end the OS process with an assertion:
 *
 * 1. Losing the last reference to the object while its handle reads: garbage collection frees it.
 * 2. A second write before the first is done.
 * 3. Using a write request again before it is detached, also within its own `oncomplete`.
 */
import type { SecureContext } from "node:tls";
import type { StreamHandle, WriteRequest } from "../handle/node-bindings.js";

/** Certificate in the form of `tls.TLSSocket.getPeerCertificate`. */
export interface LegacyCertificate {
  readonly subject?: Readonly<Record<string, string | readonly string[]>>;
  readonly raw?: Buffer;
}

/** What node knows of a session: as members of its binding, and of `tls.TLSSocket` by other names. */
export interface TlsSession {
  getProtocol(): string | null;
  getCipher(): { readonly name: string; readonly standardName?: string } | undefined;
  /** `false`, null or undefined: none was asked for. */
  getServername(): string | false | null | undefined;
  getALPNNegotiatedProtocol(): string | false | null | undefined;
  isSessionReused(): boolean;
  /** Also an error where there is no certificate. */
  verifyError(): NodeJS.ErrnoException | null | undefined;
  /** @param abbreviated without the certificates of its issuers. @returns undefined or an empty object: none */
  getPeerCertificate(abbreviated: boolean): LegacyCertificate | undefined;
}

export interface TlsWrap extends TlsSession {
  [owner: symbol]: unknown;
  onread: (this: TlsWrap) => void;
  onhandshakestart: (this: TlsWrap) => void;
  onhandshakedone: (this: TlsWrap) => void;
  /** May be called twice, and be followed by `onread`. */
  onerror: (this: TlsWrap, error: NodeJS.ErrnoException & { readonly reason?: string }) => void;
  oncertcb: (this: TlsWrap, hello: { readonly servername?: string }) => void;
  /** On the client's side, after `enableSessionCallbacks`. */
  onnewsession: (this: TlsWrap, id: Buffer, session: Buffer) => void;
  /** Context for the name that was asked for; read by `certCbDone`. */
  sni_context: unknown;
  enableCertCb(): void;
  certCbDone(): void;
  enableSessionCallbacks(): void;
  setALPNProtocols(names: Buffer): void;
  setVerifyMode(request: boolean, requireOne: boolean): void;
  setServername(name: string): void;
  setSession(session: Buffer): void;
  /** Sends the client's first message. */
  start(): void;
  /** Takes ciphertext that was read by other means. */
  receive(bytes: Buffer): void;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** The bytes are encrypted, and their memory free, when this returns; `oncomplete` comes later in every case. */
  writeBuffer(request: TlsWriteRequest, bytes: Uint8Array): number;
  writev(request: TlsWriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  /** Sends close_notify and FIN. */
  shutdown(request: object): number;
  destroySSL(): void;
}

/** A write request, which knows whether it is in use. */
export type TlsWriteRequest = Omit<WriteRequest, "oncomplete"> & {
  /** `undefined`: nothing is called. */
  oncomplete: ((this: TlsWriteRequest, status: number) => void) | undefined;
  /** `DETACHED` when the request is not in use. */
  getAsyncId(): number;
};

/** Id of a request that is not in use. */
export const DETACHED = -1;

type Wrap = (handle: StreamHandle, context: unknown, isServer: boolean, activeWrite: boolean) => TlsWrap;

/** @returns `undefined` where Node does not have the binding, or not with these members */
export function tlsWrap(): Wrap | undefined {
  try {
    const bind = (process as unknown as { binding: (name: string) => any }).binding;
    const { wrap, TLSWrap } = bind("tls_wrap");
    const needed = [
      "readStart",
      "receive",
      "writeBuffer",
      "writev",
      "shutdown",
      "useUserBuffer",
      "destroySSL",
    ];
    const there = [
      ...needed,
      "enableCertCb",
      "certCbDone",
      "setVerifyMode",
      "verifyError",
      "getPeerCertificate",
    ];
    if (typeof wrap !== "function") return undefined;
    return there.every((name) => typeof TLSWrap.prototype[name] === "function") ? wrap : undefined;
  } catch {
    return undefined;
  }
}

/** The native part of a context. */
export const nativeContext = (context: SecureContext): unknown => context.context;

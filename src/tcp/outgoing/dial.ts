/**
 * One attempt to open an outgoing connection, under one deadline:
 *
 *   host name ──▶ addresses ──▶ TCP or UNIX ──▶ PROXY header ──▶ TLS ──▶ opened
 *        └────────────┴──────────────┴──── error, deadline, cancel ───▶ failed
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { addressText } from "../../text/address.js";
import { resolveAll } from "../../transport/resolve-host.js";
import type { HandshakeOwner, Socket, Transport } from "../../transport/transport.js";
import { shownPath } from "../../transport/unix/socket-path.js";
import { ConnectError } from "./connect-error.js";
import { firstOpen, interleave } from "./happy-eyeballs.js";
import type { CheckedConnect } from "./options.js";

/** Exactly one of both is called, never while the dial is being made. */
export interface DialOwner {
  /** @param started whether its owner must be set at once: after TLS it is being read already */
  opened(socket: Socket, started: boolean): void;
  failed(error: ConnectError): void;
}

export class Dial implements HandshakeOwner {
  readonly #connect: CheckedConnect;
  readonly #transport: Transport;
  readonly #owner: DialOwner;
  readonly #abort = new AbortController();
  readonly #deadline: TimerRef;
  #socket: Socket | undefined = undefined;
  #done = false;

  constructor(connect: CheckedConnect, transport: Transport, owner: DialOwner) {
    this.#connect = connect;
    this.#transport = transport;
    this.#owner = owner;
    this.#deadline = clock.setTimeout(() => this.#late(), connect.timeout);
    this.#begin().catch((error: NodeJS.ErrnoException) =>
      this.#fail((error.code ?? "other").toLowerCase(), error.message),
    );
  }

  /** `localhost:5432`, or the path. */
  static place({ target }: CheckedConnect): string {
    return "path" in target ? shownPath(target.path) : addressText(target.host, target.port);
  }

  cancel(): void {
    this.#fail("cancelled", `connect to ${this.#place} was cancelled`);
  }

  get #place(): string {
    return Dial.place(this.#connect);
  }

  async #begin(): Promise<void> {
    const socket = await this.#open();
    if (this.#done) return socket.destroy();
    this.#socket = socket;
    const { header, tls } = this.#connect;
    // It fits into an empty socket buffer; a header cut in two would need an owner for the rest.
    if (header !== undefined && !socket.write(header))
      return this.#fail("other", `connect to ${this.#place}: the PROXY header was not sent`);
    if (tls === undefined) return this.#opened(socket, false);
    this.#socket = this.#transport.secure(socket, tls(), undefined, this);
  }

  async #open(): Promise<Socket> {
    const { target } = this.#connect;
    const { signal } = this.#abort;
    if ("path" in target) return this.#transport.connect(target, signal);
    const { host, port } = target;
    const addresses = interleave(await resolveAll(host));
    return firstOpen(addresses, (address, lost) => this.#transport.connect({ address, port }, lost), signal);
  }

  #opened(socket: Socket, started: boolean): void {
    if (this.#done) return socket.destroy();
    this.#end();
    this.#owner.opened(socket, started);
  }

  #late(): void {
    const { timeout } = this.#connect;
    this.#fail("connect_timeout", `connect to ${this.#place} took longer than ${timeout} ms`);
  }

  #fail(code: string, message: string): void {
    if (this.#done) return;
    this.#end();
    this.#abort.abort(new ConnectError(code, message));
    this.#socket?.destroy();
    this.#owner.failed(new ConnectError(code, message));
  }

  #end(): void {
    this.#done = true;
    clock.clearTimeout(this.#deadline);
  }

  // -- the handshake ----------------------------------------------------------------------------------------

  onSecure(): void {
    this.#opened(this.#socket as Socket, true);
  }

  onRefused(reason: "tls_error" | "tls_refused", message: string): void {
    this.#fail(reason, `TLS with ${this.#place}: ${message}`);
  }

  onEnd(): void {
    this.#fail("tls_error", `TLS with ${this.#place}: the server has closed during the handshake`);
  }

  onClosed(code: string | undefined): void {
    if (code === undefined) this.onEnd();
    else this.#fail(code.toLowerCase(), `TLS with ${this.#place}: ${code} during the handshake`);
  }

  onChunk(_chunk: Buffer): void {}
  onBytes(_shared: Buffer, _length: number): void {}
  onWritten(): void {}
}

/**
 * Start of a connection: it gets its socket, goes through the opening (PROXY header, TLS) if its listener has one, makes
 * its data, and enters the first state.
 */
import { type ExitReason, reasonOf } from "../../otp/process/exit-reason.js";
import type { Socket } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { type AlpnProtocols, agreedProtocol } from "../opening/alpn.js";
import { Opening, type OpeningConnection } from "../opening/opening.js";
import { OPENING_TIMEOUT, type OpeningTerms } from "../opening/terms.js";
import { dataFor } from "../protocol/compiled/compile.js";
import type { AnyProtocol } from "../protocol/protocol.js";
import { OPENING, WAITING } from "./connection-view.js";
import { UNOPENED } from "./flags.js";
import { NONE, type ReaderWriter } from "./input/reader.js";
import { ProtocolChange } from "./protocol-change.js";

const TLS_REFUSED: ExitReason = Object.freeze({ shutdown: "tls_refused" });

/** What is special in an outgoing connection. */
export interface Outgoing {
  /** Whether the socket is being read already, as after TLS. */
  readonly started: boolean;
  /** Instead of the protocol's own. */
  readonly data: AnyProtocol["data"];
}

export abstract class ConnectionStart extends ProtocolChange implements OpeningConnection {
  abstract onWritten(): void;

  /**
   * The listener, or an outgoing connection that is open, hands the socket over. Reading begins here, not earlier.
   * @param outgoing of an outgoing connection: whether its socket is being read already, and what makes its data
   */
  socketReady(socket: Socket, outgoing?: Outgoing): void {
    if (!this.alive || this.phase !== WAITING) return socket.destroy();
    this.adopt(socket);
    const { opening } = this.endpoint;
    if (opening !== undefined) return this.open(socket, opening);
    if (!this.prepare(outgoing?.data)) return;
    if (outgoing?.started) socket.setOwner(this);
    else socket.start(this);
    this.begin();
  }

  /** Makes the data of the protocol. @returns false when that threw and the connection has ended */
  private prepare(data?: Outgoing["data"]): boolean {
    const { source } = this.protocol;
    try {
      this.running();
      this.io?.ask(source.active ?? "once");
      this.data = dataFor(data === undefined ? source : { data }, this);
      return true;
    } catch (thrown) {
      // No state has been entered, so there is none to leave.
      this.abort(reasonOf(thrown));
      return false;
    }
  }

  // -- the opening: PROXY header, TLS ---------------------------------------------------------------------

  private open(socket: Socket, terms: OpeningTerms): void {
    this.phase = OPENING;
    this.setFlag(UNOPENED);
    // Messages wait, as behind a handler.
    this.busy = true;
    this.limitHandler(terms.timeout ?? OPENING_TIMEOUT);
    new Opening(this, socket, terms).begin();
  }

  get isOpening(): boolean {
    return this.phase === OPENING;
  }

  replaceSocket(socket: Socket): void {
    if (this.phase === OPENING) (this.io as ReaderWriter).socket = socket;
    else socket.destroy();
  }

  opened(): void {
    if (this.phase !== OPENING) return;
    const io = this.io as ReaderWriter;
    const { alpn } = this.endpoint;
    if (alpn !== undefined && !this.agree(alpn, io.socket.tls?.alpn)) return;
    this.setFlag(UNOPENED, false);
    this.busy = false;
    this.endBy = NONE;
    io.lastFrameAt = wholeMs();
    if (!this.prepare()) return;
    io.socket.setOwner(this);
    this.begin();
    if (this.runnable) this.unblock();
  }

  /** Takes the protocol that the handshake has agreed on. @returns false when there is none and the connection has ended */
  private agree(alpn: AlpnProtocols, name: string | undefined): boolean {
    const protocol = agreedProtocol(alpn, name);
    if (protocol === undefined) {
      this.openingFailed(
        TLS_REFUSED,
        "the client names no protocol (ALPN), and the listener has none for such clients",
      );
      return false;
    }
    this.protocol = protocol;
    this.cells = this.cellsOf(protocol.initial.name);
    return true;
  }

  openingFailed(reason: ExitReason, message?: string): void {
    if (this.phase !== OPENING) return;
    if (message !== undefined) this.reportFailure(reason, message);
    this.abort(reason);
  }
}

/**
 * What a connection changes while it lives: its framing (`setFraming`), its protocol (`become`), its socket (`startTls`).
 *
 *   startTls: sealed ──▶ what was sent has left ──▶ handshake ──▶ unsealed, the state changes
 *               │ nothing is read or sent in clear                   └ what was sent meanwhile leaves encrypted
 *               └ bytes behind the command: an attack, closed
 */
import type { Framing } from "../../framing/framing.js";
import type { Outcome } from "../../otp/gen-statem/gen-statem.js";
import { next, Transition } from "../../otp/gen-statem/step.js";
import { type ExitReason, reasonOf } from "../../otp/process/exit-reason.js";
import { runInMicrotask } from "../../otp/process/microtask.js";
import type { HandshakeOwner } from "../../transport/transport.js";
import { wholeMs } from "../loop/timer-wheel.js";
import { closeReason } from "../observe/counters.js";
import { openingFailures } from "../observe/events.js";
import { OPENING_TIMEOUT } from "../opening/terms.js";
import { Become } from "../protocol/become-step.js";
import { dataFor } from "../protocol/compiled/compile.js";
import type { AnyProtocol } from "../protocol/protocol.js";
import { StartTls } from "../protocol/start-tls.js";
import { checkFraming } from "../protocol/validate/validate.js";
import { RUNNING } from "./connection-view.js";
import {
  ENDED_TOLD,
  HOPELESS,
  PASSIVE_TOLD,
  PUMPING,
  SHUTDOWN_ASKED,
  STARTING_TLS,
  TLS_STARTED,
} from "./flags.js";
import { GroupMember } from "./group-member.js";
import { NONE, type ReaderWriter } from "./input/reader.js";
import { TlsStart } from "./tls-start.js";

const TLS_ERROR: ExitReason = Object.freeze({ shutdown: "tls_error" });
/** Called when TLS is up. Beside the connections: as a field it would cost 8 bytes in every one. */
const starts = new WeakMap<object, () => void>();

export abstract class ProtocolChange extends GroupMember {
  setFraming(framing: Framing<any, any>): void {
    checkFraming(framing, (what) => {
      throw new TypeError(`conn.setFraming: ${what}`);
    });
    if (this.phase !== RUNNING) return;
    this.refusePostponed(`conn.setFraming(${framing.name})`);
    const io = this.io as ReaderWriter;
    const rest = io.rest();
    this.protocol = this.protocol.reframed(framing);
    io.restart(rest);
    // Outside of its handlers nothing else looks at the bytes again.
    if (rest !== undefined && !this.hasFlag(PUMPING) && !this.busy) this.deferTurn();
  }

  /** @throws Error when frames of the present framing are postponed, and would be handled after frames of another */
  private refusePostponed(what: string): void {
    const count = this.postponed?.count ?? 0;
    if (count === 0) return;
    const { framing, name } = this.protocol;
    const frames = count === 1 ? "frame waits" : "frames wait";
    const fact = `${count} postponed ${frames} (${framing.name}, protocol ${name}, state ${this.state})`;
    throw new Error(`${what}: ${fact}; handle them first, in a state that does not postpone`);
  }

  /** As `applyOutcome` of every state machine, for the steps that only connections have, too. */
  protected carryOut(outcome: Outcome, kind: string, content: unknown): boolean {
    if ((outcome as unknown) instanceof Become) return this.becomeOther(outcome as unknown as Become);
    if (outcome instanceof Transition && (outcome.actions[0] as unknown) instanceof StartTls)
      return this.beginTls(outcome.state as string);
    return super.applyOutcome(outcome, kind, content);
  }

  /** Goes on in another protocol. Whatever can fail comes first: then it is a crash of the present one. */
  private becomeOther({ protocol, data }: Become): boolean {
    if (this.stopping || !this.alive) return false;
    const other = this.protocol.other(protocol as AnyProtocol);
    this.refusePostponed(`become(${other.name})`);
    const io = this.io as ReaderWriter;
    io.rest();
    this.endpoint.traces?.event(this, `become ${other.name}`);
    const own = data.length > 0 ? data[0] : dataFor(other.source, this);
    return this.changeMachine(`${other.name} ${other.initial.name}`, () => {
      const rest = io.rest();
      this.protocol = other;
      this.data = own;
      io.restart(rest);
      io.askAnew(other.source.active ?? "once");
      // What the other protocol has not been told.
      this.setFlag(PASSIVE_TOLD | ENDED_TOLD, false);
      this.endpoint.loop.timerWheel.schedule(this, io.stalledAt);
      return this.cellsOf(other.initial.name);
    });
  }

  // -- TLS in mid-stream ---------------------------------------------------------------------------------

  private beginTls(state: string): boolean {
    if (this.stopping || !this.alive) return false;
    this.checkTls();
    this.cellsOf(state);
    const { loop } = this.endpoint;
    loop.output.flush();
    const io = this.io as ReaderWriter;
    const { unhandled } = io;
    this.endpoint.traces?.event(this, "startTls");
    this.setFlag(STARTING_TLS);
    io.seal();
    if (unhandled > 0) {
      const what = `the client sent ${unhandled} bytes in clear behind the command that begins TLS`;
      this.tlsFailed(TLS_ERROR, `${what}, as an attacker between can do; it must wait for the answer`);
      return false;
    }
    if (io.ended) {
      this.tlsFailed("normal");
      return false;
    }
    const up = new Promise<void>((resolve) => starts.set(this, resolve));
    this.waitFor(
      up.then(() => next(state)),
      (step) => this.applyOutcome(step, "tls", undefined),
    );
    if (!this.hasFlag(SHUTDOWN_ASKED)) this.limitHandler(OPENING_TIMEOUT);
    // Not within the callback that delivers bytes: those that come in it still go to this connection.
    runInMicrotask(() => this.goOnWithTls());
    return false;
  }

  /** @throws Error when TLS cannot begin */
  private checkTls(): void {
    const { startTls, opening, name } = this.endpoint;
    if (this.hasFlag(TLS_STARTED | STARTING_TLS) || opening?.startTls !== undefined)
      throw new Error("startTls(): the connection is encrypted already");
    if (startTls === undefined)
      throw new Error(
        `startTls(): listener ${name} has no TLS; set tls: { start: "by_protocol", cert, key }`,
      );
    this.refusePostponed("startTls()");
  }

  /** Begins the handshake once all that was sent in clear has left. */
  protected goOnWithTls(): void {
    const { io } = this;
    const { startTls } = this.endpoint;
    if (this.phase !== RUNNING || io === undefined || !io.cleared || startTls === undefined) return;
    if (this.hasFlag(TLS_STARTED)) return;
    this.setFlag(TLS_STARTED);
    try {
      io.socket = startTls(io.socket, io.takeSealed(), new TlsStart(this));
    } catch (thrown) {
      this.crash(reasonOf(thrown));
    }
  }

  /** The handshake is done. */
  tlsIsUp(): void {
    const io = this.io as ReaderWriter;
    if (this.phase !== RUNNING) return;
    this.endpoint.traces?.event(this, "TLS is up");
    this.setFlag(STARTING_TLS, false);
    this.endBy = NONE;
    io.lastFrameAt = wholeMs();
    io.socket.setOwner(this as unknown as HandshakeOwner);
    io.unseal();
    starts.get(this)?.();
    starts.delete(this);
  }

  /** TLS has failed, or the time for it is over. */
  tlsFailed(reason: ExitReason, message?: string): void {
    if (this.phase !== RUNNING) return;
    if (message !== undefined) this.reportFailure(reason, message);
    // What it may still want to say cannot be encrypted.
    this.setFlag(HOPELESS);
    this.stop(reason);
  }

  /** Why there is no TLS, or no PROXY header: for the log. */
  protected reportFailure(reason: ExitReason, message: string): void {
    if (!openingFailures.hasSubscribers) return;
    const { pid, peer, via, label: protocol } = this;
    const { name: listener } = this.endpoint;
    openingFailures.publish({ pid, protocol, peer, via, listener, counted: closeReason(reason), message });
  }
}

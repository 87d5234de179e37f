/**
 * A connection as a member of groups: how it gets their messages, what it loses when its client reads too slowly, and
 * how it is held while it sends faster than the exchange takes.
 *
 *   messages ─┬─ output full ─────────────────▶ lost, counted (`missed`), or the connection ends
 *             ├─ `forward`, nothing waits ────▶ output: the same bytes for all members
 *             └─ a handler, or it is busy ────▶ mailbox
 */
import type { Outcome } from "../../otp/gen-statem/gen-statem.js";
import { Stop } from "../../otp/gen-statem/step.js";
import type { ExitReason } from "../../otp/process/exit-reason.js";
import { isLocal, Pid } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { cleanContext } from "../../transport/async-context.js";
import type { SharedWrites } from "../loop/shared-writes.js";
import { groupCounters } from "../observe/group-counters.js";
import { isTooLong, type SharedMessage, type SharedMessages } from "../protocol/compiled/shared-messages.js";
import type { Presence } from "../protocol/presence.js";
import { addEnding } from "./abort-signal.js";
import { CLOSING, RUNNING } from "./connection-view.js";
import { OBSERVED } from "./flags.js";
import { FrameLoop } from "./input/frame-loop.js";
import type { ReaderWriter } from "./input/reader.js";

/** Messages of groups that may wait in a mailbox. */
export const MAX_GROUP_MESSAGES = 1_000;

/** Messages lost by connections. Beside them: as a field it would cost 8 bytes in every one. */
const missed = new WeakMap<object, { unread: number; total: number }>();

const REPLACED: ExitReason = Object.freeze({ shutdown: "replaced" });

/** A message for another cell than `message`. */
export class CellMessage {
  readonly cell: "request" | "replaced" | "presence";
  readonly content: unknown;
  /** Called when the cell has run; of `presence` when the state has none. */
  readonly done: (() => void) | undefined;
  constructor(cell: CellMessage["cell"], content: unknown, done: (() => void) | undefined) {
    this.cell = cell;
    this.content = content;
    this.done = done;
  }
}

export abstract class GroupMember extends FrameLoop {
  /** Messages of groups lost since the last reading. */
  get missed(): number {
    const lost = missed.get(this);
    if (!lost) return 0;
    const { unread } = lost;
    lost.unread = 0;
    return unread;
  }

  /** Messages of groups lost since it was opened. */
  get missedInAll(): number {
    return missed.get(this)?.total ?? 0;
  }

  /** Whether it has begun to end. */
  get isEnding(): boolean {
    return !this.alive || this.phase >= CLOSING;
  }

  /** Adds what is called when the connection begins to end. Not for one that is ending. */
  whenEnding(callback: (member: GroupMember) => void): void {
    this.setFlag(OBSERVED);
    addEnding(this, callback);
  }

  /**
   * Takes messages of a group.
   * @param ends whether a member that reads too slowly is ended (`slow: "end"`)
   * @param writes gets what is written at once
   */
  takeMessages(messages: SharedMessages, ends: boolean, writes: SharedWrites): void {
    const { io, cells } = this;
    if (this.phase !== RUNNING || io === undefined) groupCounters.dropped.ended += messages.list.length;
    else if (io.full) {
      // Handlers run at its end, and may send to members that are to be written to.
      if (ends) writes.flush();
      this.tooSlow(messages.list.length, ends);
    } else if (!cells.forwards || this.busy || this.messageQueueLength > 0) this.takeAsMail(messages);
    else this.forwardMessages(messages, io, writes);
  }

  private forwardMessages(messages: SharedMessages, io: ReaderWriter, writes: SharedWrites): void {
    const { bytes, count, tooLarge, invalid } = messages.frames(this.protocol.framing);
    groupCounters.dropped.too_large += tooLarge;
    groupCounters.dropped.invalid += invalid;
    if (count === 0) return;
    const { traces, counters } = this.endpoint;
    if (traces !== undefined)
      for (const message of messages.list) {
        traces.shared(this, message);
        traces.sent(this, message.value);
      }
    io.share(bytes, writes);
    this.framesSent += count;
    counters.framesSent += count;
    groupCounters.forwarded += count;
  }

  private takeAsMail({ list }: SharedMessages): void {
    const limit = Math.min(MAX_GROUP_MESSAGES, this.maxMessages);
    for (const message of list) {
      if (this.messageQueueLength >= limit) {
        groupCounters.dropped.mailbox_full++;
        this.countMissed(1);
      } else {
        groupCounters.delivered++;
        this.enqueue(message);
      }
    }
  }

  private tooSlow(count: number, ends: boolean): void {
    groupCounters.dropped.slow_member += count;
    this.countMissed(count);
    if (ends) cleanContext().runInAsyncScope(this.giveUp, this, { shutdown: "slow_consumer" });
  }

  /**
   * A newer claim waits for a name that this connection holds. Without a `replaced` cell it ends at once, whatever it is
   * doing; with one it lets the name go when the cell has run.
   */
  replaced(name: string, release: () => void): void {
    if (this.isEnding) return;
    if (this.cells.replaced === undefined) return this.receiveExit(this.pid, REPLACED);
    this.enqueue(new CellMessage("replaced", name, release));
  }

  /** Takes a request to a name. @returns false when too many wait in the mailbox */
  takeRequest(request: unknown): boolean {
    if (this.isEnding || this.messageQueueLength >= Math.min(MAX_GROUP_MESSAGES, this.maxMessages))
      return false;
    this.enqueue(new CellMessage("request", request, undefined));
    return true;
  }

  /**
   * Takes a change of a group's presence.
   * @param unheard called when it comes out of the mailbox in a state without the cell: it must be told again
   * @returns false when the state has no cell, or too many wait in the mailbox: it must be told again
   */
  takePresence(change: Presence, unheard: () => void): boolean {
    if (this.isEnding) return true;
    // The state after the handler that runs may have the cell.
    if (this.cells.presence === undefined && !this.busy) return !this.protocol.hearsPresence;
    if (this.messageQueueLength >= Math.min(MAX_GROUP_MESSAGES, this.maxMessages)) return false;
    this.enqueue(new CellMessage("presence", change, unheard));
    return true;
  }

  /** Whether the present state handles requests. */
  get answersRequests(): boolean {
    return this.cells.request !== undefined;
  }

  /** Something of a name, or of presence, has come out of the mailbox. */
  protected handleCell({ cell, content, done }: CellMessage): Outcome {
    if (cell === "presence") {
      if (this.cells.presence) return this.cells.presence(this, content as Presence);
      done?.();
      return undefined;
    }
    const outcome =
      cell === "request" ? this.handleRequest(content) : this.cells.replaced?.(this, content as string);
    if (outcome instanceof Promise) return outcome.finally(() => done?.());
    done?.();
    // The state has changed since: without the cell the connection ends.
    return cell === "replaced" && this.cells.replaced === undefined ? new Stop(REPLACED) : outcome;
  }

  private handleRequest(request: any): Outcome {
    const { request: cell } = this.cells;
    if (cell) return cell(this, request);
    request.fail(`no request is answered in state ${this.state}`);
    return undefined;
  }

  private countMissed(count: number): void {
    const lost = missed.get(this);
    if (!lost) missed.set(this, { unread: count, total: count });
    else {
      lost.unread += count;
      lost.total += count;
    }
  }

  /** A message of a group has come out of the mailbox. */
  protected handleShared(message: SharedMessage): Outcome {
    const { value } = message;
    const { traces } = this.endpoint;
    if (traces !== undefined) traces.shared(this, message);
    // The cells of the trace would report it again, without its group.
    const cells = traces === undefined ? this.cells : this.protocol.cellsOf(this.cells.name);
    if (!cells.forwards) return cells.message?.(this, value);
    if (this.io?.full === true) return this.tooSlow(1, false);
    try {
      cells.message?.(this, value);
    } catch (error) {
      // A message from outside must not end the members of a group.
      groupCounters.dropped[isTooLong(error) ? "too_large" : "invalid"]++;
    }
    return undefined;
  }

  get outputFull(): boolean {
    return this.phase === RUNNING && this.io?.full === true;
  }

  throttleBy(other: Pid | { readonly pid: Pid }): void {
    const pid = other instanceof Pid ? other : other.pid;
    const process = processOf(pid);
    if (process instanceof GroupMember && process !== this) return this.io?.throttleBy(process);
    // One that has ended throttles nothing.
    if (process === undefined && isLocal(pid)) return;
    throw new TypeError(`throttleBy takes another connection of the same worker, got ${pid} ${pid.label}`);
  }

  onReleased(): void {
    if (this.phase === RUNNING && !this.busy) this.deferTurn(cleanContext());
  }
}

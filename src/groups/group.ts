/**
 * Groups: all members get what is sent to the group, in whichever worker they are.
 *
 *   group.send ─▶ uplink ─▶ hub (one order) ─▶ each OS process with members ─▶ delivery ─▶ members
 */
import { Pid } from "../otp/process/pid.js";
import { groupCounters } from "../tcp/observe/group-counters.js";
import { markSource, type Portable, type Receives, type Source } from "../tcp/protocol/sources.js";
import { holdSender } from "./held-senders.js";
import type { Slow } from "./local-members.js";
import { Message } from "./message.js";
import { checkName, familyName } from "./name.js";
import { ownProcess, pidOf } from "./own-process.js";
import { localMembers, uplink } from "./present.js";
import { HOLD_ABOVE } from "./uplink.js";

export interface GroupOptions {
  /**
   * What happens to a member whose client reads so slowly that its output is full (`limits.highWater`). `"miss"`: it loses
   * messages until there is room, counted in `conn.missed`. `"end"`: it is ended as `slow_consumer`. Default `"miss"`.
   */
  readonly slow?: Slow;
}

/** A member of a group. */
export interface Member {
  readonly pid: Pid;
}

/** A group of processes, over all workers. A light handle: made at module level or on the way, it costs nothing. */
export interface Group<M extends Portable> extends Source<M> {
  readonly name: string;
  /**
   * Adds a process of this worker, until it leaves or ends; again it has no effect. What it sends afterwards it hears itself.
   * @throws RangeError when it is in 1,000 groups already; TypeError for a process of another worker
   */
  join(process: Receives<M> | Pid): void;
  leave(process: Receives<M> | Pid): void;
  /**
   * Sends a message to all members, at most once each. Never waits; the sender's connection handles no further frame
   * while more than 1 MiB waits.
   * @throws TypeError when the message is not JSON or bytes, RangeError when it is larger than 64 KiB
   */
  send(message: M, options?: { readonly except?: { readonly pid: Pid } | Pid | undefined }): void;
  /** Number of members. @throws Error when the exchange does not answer within 5 s */
  count(): Promise<number>;
  /** The members, by pid. @throws Error when the exchange does not answer within 5 s */
  members(): Promise<readonly Member[]>;
}

/** A family of groups: `rooms("general")` is the group `room/general`. */
export interface Groups<M extends Portable> extends Source<M> {
  (name: string): Group<M>;
}

class GroupHandle<M extends Portable> implements Group<M> {
  readonly name: string;
  readonly #slow: Slow;

  constructor(name: string, slow: Slow) {
    this.name = name;
    this.#slow = slow;
    markSource(this);
  }

  join(member: Receives<M> | Pid): void {
    const process = ownProcess(pidOf(member), "join");
    if (process) localMembers.join(process, this.name, this.#slow);
  }

  leave(member: Receives<M> | Pid): void {
    const process = ownProcess(pidOf(member), "join");
    if (process) localMembers.leave(process, this.name);
  }

  send(message: M, { except }: { readonly except?: { readonly pid: Pid } | Pid | undefined } = {}): void {
    const encoded = Message.of(message);
    groupCounters.published++;
    uplink.publish(this.name, encoded, except && pidOf(except));
    if (uplink.waiting > HOLD_ABOVE) holdSender();
  }

  count(): Promise<number> {
    return uplink.query({ ask: "count", group: this.name });
  }

  async members(): Promise<readonly Member[]> {
    const pairs = await uplink.query({ ask: "members", group: this.name });
    return pairs.map(([worker, serial]) => ({ pid: new Pid(worker, serial) }));
  }
}

/**
 * The group of this name. The same name is the same group everywhere; list it under `takes` in the protocol whose
 * connections join it.
 * @throws TypeError, RangeError when the name is not 1 to 255 bytes of UTF-8 without control characters
 */
export function group<M extends Portable>(name: string, options: GroupOptions = {}): Group<M> {
  return new GroupHandle(checkName("group", name), slowOf(options));
}

/**
 * A family of groups, such as the rooms of a chat.
 * @throws as `group`, also when a group of the family is asked for
 */
export function groups<M extends Portable>(family: string, options: GroupOptions = {}): Groups<M> {
  checkName("family of groups", family);
  const slow = slowOf(options);
  const familyOf = (name: string) =>
    new GroupHandle<M>(checkName("group", familyName(family, checkName("group", name))), slow);
  markSource(familyOf);
  return familyOf;
}

function slowOf({ slow = "miss", ...rest }: GroupOptions): Slow {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new TypeError(`unknown option "${unknown}" of a group; the option is slow`);
  if (slow !== "miss" && slow !== "end")
    throw new TypeError(`slow must be "miss" or "end", got ${JSON.stringify(slow)}`);
  return slow;
}

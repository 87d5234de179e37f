/**
 * Groups: a message to a group reaches all its members, in whichever worker they are.
 *
 *   group.send ─▶ uplink ─▶ hub (one order) ─▶ each OS process with members ─▶ delivery ─▶ members
 */
import { type Pid, pidFrom } from "../otp/process/pid.js";
import { type Duration, toMs } from "../otp/time/duration.js";
import { groupCounters } from "../tcp/observe/group-counters.js";
import type { PresentMember } from "../tcp/protocol/presence.js";
import { type Json, markSource, type Portable, type Receives, type Source } from "../tcp/protocol/sources.js";
import { MAX_INFO, MAX_PRESENT } from "./hub/presence-table.js";
import { handlingProcess, holdSender } from "./local/held-senders.js";
import type { Slow } from "./local/local-members.js";
import { ownProcess, pidOf } from "./local/own-process.js";
import { type Introduction, presentMember } from "./local/presence-view.js";
import { localMembers, uplink } from "./local/present.js";
import { HOLD_ABOVE } from "./local/uplink.js";
import { Message } from "./message.js";
import { checkName, familyName } from "./name.js";

export interface GroupOptions {
  /**
   * What happens to a member whose client reads so slowly that its output is full (`limits.highWater`). `"miss"`: it loses
   * messages until there is room, counted in `conn.missed`. `"end"`: it is ended as `slow_consumer`. Default `"miss"`.
   */
  readonly slow?: Slow;
  /**
   * Messages are collected for this long before they are written: all of it in one write per member. For groups in which
   * many send, where some milliseconds do not matter. At most `"1s"`. Default: 0.
   */
  readonly gather?: Duration;
  /** `"server"`: the group stays on this server; otherwise it has members on all servers of the cluster. Default `"cluster"`. */
  readonly scope?: "server" | "cluster";
  /** Whether members join with key and info, and get events of each other: see `PresenceGroup`. Default false. */
  readonly presence?: false;
}

/** Options of a group with presence. */
export interface PresenceOptions extends Omit<GroupOptions, "presence"> {
  readonly presence: true;
}

/** A member of a group. */
export interface Member {
  readonly pid: Pid;
}

/** A group of processes, over all workers. A light handle: made at module level or on the way, it costs nothing. */
export interface Group<M extends Portable> extends Source<M> {
  readonly name: string;
  /**
   * Adds a process of this worker until it leaves or ends; adding it again has no effect. It gets its own messages, too.
   * @throws RangeError when it is in 1,000 groups already, or 100,000 have members in this worker; TypeError for a process of another worker
   */
  join(process: Receives<M> | Pid): void;
  leave(process: Receives<M> | Pid): void;
  /**
   * Sends a message to all members, at most once each. Never waits; the sender's connection handles no further frame
   * while more than 1 MiB waits.
   * @param options `except`: a process that does not get it; has no effect for one of another server
   * @throws TypeError when the message is not JSON or bytes, RangeError when it is larger than 64 KiB
   */
  send(message: M, options?: { readonly except?: { readonly pid: Pid } | Pid | undefined }): void;
  /** Number of members. @throws Error when the exchange does not answer within 5 s */
  count(): Promise<number>;
  /** The members, by pid. @throws Error when the exchange does not answer within 5 s */
  members(): Promise<readonly Member[]>;
}

/**
 * A group whose members join with key and info. The `presence` cell of a member gets first all members, then what has changed,
 * at most each 100 ms. Up to 1,000 members; with more there are no events, and only `count()`, until there are fewer.
 */
export interface PresenceGroup<M extends Portable> extends Omit<Group<M>, "join" | "members"> {
  /**
   * As `join` of a group. Joining again replaces key and info.
   * @param as `key`: 1 to 255 bytes, need not be unique, such as a user with two devices; `info`: JSON of at most 1 KiB
   * @throws TypeError, RangeError for a wrong key or info, and as `join` of a group
   */
  join(process: Receives<M> | Pid, as: { readonly key: string; readonly info?: Json }): void;
  /**
   * The members with key and info. The events of a member that asks stay complete: changes that were under way follow as
   * events, and may repeat what the list has.
   * @throws RangeError for more than 1,000; Error when the exchange does not answer within 5 s
   */
  members(): Promise<readonly PresentMember[]>;
}

/** A family of groups: `rooms("general")` is the group `room/general`. */
export interface Groups<M extends Portable> extends Source<M> {
  (name: string): Group<M>;
}

/** A family of groups with presence. */
export interface PresenceGroups<M extends Portable> extends Source<M> {
  (name: string): PresenceGroup<M>;
}

/** With and without presence: what the types of the two forbid is an error here. */
class GroupHandle<M extends Portable> implements Group<M> {
  readonly name: string;
  readonly #options: CheckedOptions;

  constructor(name: string, options: CheckedOptions) {
    this.name = name;
    this.#options = options;
    markSource(this);
  }

  join(member: Receives<M> | Pid, as?: { readonly key: string; readonly info?: Json }): void {
    const { slow, gather, presence, here } = this.#options;
    if (as !== undefined && !presence)
      throw new TypeError(`group ${this.name} has no presence: make it with { presence: true }`);
    const introduction = presence ? introductionOf(this.name, as) : undefined;
    const process = ownProcess(pidOf(member), "join");
    if (process) localMembers.join(process, this.name, slow, { gather, here, as: introduction });
  }

  leave(member: Receives<M> | Pid): void {
    const process = ownProcess(pidOf(member), "leave");
    if (process) localMembers.leave(process, this.name);
  }

  send(message: M, { except }: { readonly except?: { readonly pid: Pid } | Pid | undefined } = {}): void {
    const encoded = Message.of(message).from(handlingProcess());
    groupCounters.published++;
    const pid = except && pidOf(except);
    // A process of this server may have the same worker and serial as one of another server.
    uplink.publish(this.name, encoded, pid?.node === undefined ? pid : undefined);
    if (uplink.waiting > HOLD_ABOVE) holdSender();
  }

  count(): Promise<number> {
    return uplink.query({ ask: "count", group: this.name });
  }

  async members(): Promise<readonly PresentMember[]> {
    if (this.#options.presence) return this.#present();
    const pairs = await uplink.query({ ask: "members", group: this.name });
    return pairs.map((pair) => ({ pid: pidFrom(pair) }) as PresentMember);
  }

  async #present(): Promise<readonly PresentMember[]> {
    const rows = await uplink.query({ ask: "presence", group: this.name });
    if (rows) return rows.map(presentMember);
    throw new RangeError(`group ${this.name} has more than ${MAX_PRESENT} members: only count() is answered`);
  }
}

/**
 * The group of this name. The same name is the same group everywhere; list it under `takes` in the protocol whose
 * connections join it.
 * @throws TypeError, RangeError when the name is not 1 to 255 bytes of UTF-8 without control characters
 */
export function group<M extends Portable>(name: string, options: PresenceOptions): PresenceGroup<M>;
export function group<M extends Portable>(name: string, options?: GroupOptions): Group<M>;
export function group<M extends Portable>(
  name: string,
  options: GroupOptions | PresenceOptions = {},
): GroupHandle<M> {
  return new GroupHandle(checkName("group", name), checked(options));
}

/**
 * A family of groups, such as the rooms of a chat.
 * @throws as `group`, also when a group of the family is asked for
 */
export function groups<M extends Portable>(family: string, options: PresenceOptions): PresenceGroups<M>;
export function groups<M extends Portable>(family: string, options?: GroupOptions): Groups<M>;
export function groups<M extends Portable>(
  family: string,
  options: GroupOptions | PresenceOptions = {},
): (name: string) => GroupHandle<M> {
  checkName("family of groups", family);
  const all = checked(options);
  const familyOf = (name: string) =>
    new GroupHandle<M>(checkName("group", familyName(family, checkName("group", name))), all);
  markSource(familyOf);
  return familyOf;
}

interface CheckedOptions {
  readonly slow: Slow;
  /** Milliseconds. */
  readonly gather: number;
  readonly presence: boolean;
  /** The group stays on this server. */
  readonly here: boolean;
}

const MAX_GATHER = 1_000;

function checked({
  slow = "miss",
  gather = 0,
  scope = "cluster",
  presence = false,
  ...rest
}: GroupOptions | PresenceOptions): CheckedOptions {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new TypeError(
      `unknown option "${unknown}" of a group; the options are slow, gather, scope and presence`,
    );
  if (slow !== "miss" && slow !== "end")
    throw new TypeError(`slow must be "miss" or "end", got ${JSON.stringify(slow)}`);
  if (scope !== "server" && scope !== "cluster")
    throw new TypeError(`scope must be "server" or "cluster", got ${JSON.stringify(scope)}`);
  if (typeof presence !== "boolean")
    throw new TypeError(`presence must be true or false, got ${JSON.stringify(presence)}`);
  const ms = toMs(gather);
  if (ms > MAX_GATHER) throw new RangeError(`gather must be at most 1s, got ${JSON.stringify(gather)}`);
  return { slow, gather: ms, presence, here: scope === "server" };
}

function introductionOf(
  group: string,
  as: { readonly key: string; readonly info?: Json } | undefined,
): Introduction {
  if (typeof as !== "object" || as === null)
    throw new TypeError(`group ${group} has presence: join with { key, info }, such as { key: "anna" }`);
  const info = jsonText(as.info ?? null);
  const length = Buffer.byteLength(info);
  if (length > MAX_INFO)
    throw new RangeError(`info has ${length} bytes of JSON, at most ${MAX_INFO} are kept for a member`);
  return { key: checkName("member (key)", as.key), info };
}

function jsonText(info: Json): string {
  const text: string | undefined = JSON.stringify(info);
  if (text === undefined) throw new TypeError(`info must be a JSON value, got ${typeof info}`);
  return text;
}

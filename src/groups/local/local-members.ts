/**
 * Members of groups in this OS process: who is in which group. A process that ends is out of all its groups at once: a
 * connection when it begins to end, any other process when it has exited. One monitor, or one callback, per process that
 * has joined anything; a process that has not is not known here.
 */
import { addMonitor, type MonitorRef, removeMonitor } from "../../otp/process/links/monitors.js";
import type { Process } from "../../otp/process/process.js";
import { clock } from "../../otp/time/clock.js";
import { GroupMember } from "../../tcp/connection/group-member.js";
import { type Introduction, PresenceView } from "./presence-view.js";

/** Groups that one process may be in. */
export const MAX_MEMBERSHIPS = 1_000;
/** Groups with members in one OS process. */
export const MAX_GROUPS = 100_000;

/** What a group does with a member that reads too slowly: it loses messages, or is ended. */
export type Slow = "miss" | "end";

/** What else a member may say when it joins. */
export interface JoinOptions {
  /** Milliseconds for which messages of the group are collected. */
  readonly gather?: number;
  /** Whether the group stays on this server. */
  readonly here?: boolean;
  /** Only in a group with presence. */
  readonly as?: Introduction | undefined;
}

/** The members of one group in this OS process. */
export class LocalGroup {
  readonly name: string;
  /** With the second of the clock in which each joined. */
  readonly #members = new Map<Process, number>();
  /** The members as an array, until one joins or leaves: a delivery may go on over several turns. */
  #list: readonly Process[] | undefined = undefined;
  slow: Slow = "miss";
  gather = 0;
  here = false;
  /** Of members that have introduced themselves. */
  presence: PresenceView | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#members.size;
  }

  get list(): readonly Process[] {
    return (this.#list ??= [...this.#members.keys()]);
  }

  has(process: Process): boolean {
    return this.#members.has(process);
  }

  /** Whether no process has joined or left since this was the list. */
  isList(list: readonly Process[]): boolean {
    return this.#list === list;
  }

  add(process: Process): void {
    this.#members.set(process, Math.floor(clock.now() / 1_000));
    this.#list = undefined;
  }

  /** Seconds for which a process has been a member. */
  ageOf(process: Process): number {
    return Math.max(0, Math.floor(clock.now() / 1_000) - (this.#members.get(process) ?? Infinity));
  }

  introduce(process: Process, introduction: Introduction): void {
    this.presence ??= new PresenceView(this.name);
    this.presence.add(process, introduction);
  }

  delete(process: Process): void {
    this.#members.delete(process);
    this.#list = undefined;
    if (this.presence?.delete(process)) this.presence = undefined;
  }
}

/** What is told of members that come and go. */
export interface MembershipListener {
  /** A group stays on this server: before its first `joined`. */
  keptHere?(group: string): void;
  joined(group: string, serial: number): void;
  /** A member has said who it is: after `joined`, and again when it says something else. */
  introduced(group: string, serial: number, introduction: Introduction): void;
  left(group: string, serial: number): void;
}

/** The groups of one process. */
class Membership {
  readonly groups: LocalGroup[] = [];
  readonly #process: Process;
  readonly #table: LocalMembers;
  readonly #monitor: MonitorRef | undefined;

  constructor(process: Process, table: LocalMembers) {
    this.#process = process;
    this.#table = table;
    if (process instanceof GroupMember) table.watch(process);
    else this.#monitor = addMonitor(process.pid, this);
  }

  receiveDown(): void {
    this.#table.leaveAll(this.#process);
  }

  /** It is in no group any more. A connection keeps its callback, for the next group that it joins. */
  end(): void {
    if (this.#monitor) removeMonitor(this.#monitor);
  }
}

export class LocalMembers {
  readonly #groups = new Map<string, LocalGroup>();
  readonly #memberships = new Map<Process, Membership>();
  /** Connections with a callback at their end: one each, however often they join and leave. */
  readonly #watched = new WeakSet<GroupMember>();
  readonly #listener: () => MembershipListener;
  #count = 0;

  /** @param listener asked for at each change: a worker may get another one while it runs */
  constructor(listener: () => MembershipListener) {
    this.#listener = listener;
  }

  /** Number of groups that have members here. */
  get size(): number {
    return this.#groups.size;
  }

  get memberships(): number {
    return this.#count;
  }

  get(name: string): LocalGroup | undefined {
    return this.#groups.get(name);
  }

  /** All groups that have members here. */
  get groups(): Iterable<LocalGroup> {
    return this.#groups.values();
  }

  /** The groups that a process is in, in the order in which it joined them. */
  groupsOf(process: Process): readonly LocalGroup[] {
    return this.#memberships.get(process)?.groups ?? [];
  }

  /**
   * Has no effect for a process that is ending, and for a member, but for what it says of itself.
   * @throws RangeError beyond `MAX_MEMBERSHIPS` and `MAX_GROUPS`
   */
  join(process: Process, name: string, slow: Slow, options: JoinOptions = {}): void {
    const { as } = options;
    if (!process.alive || (process instanceof GroupMember && process.isEnding)) return;
    const group = this.#groups.get(name);
    if (!group?.has(process)) this.#join(process, name, group, slow, options);
    if (as) {
      this.#groups.get(name)?.introduce(process, as);
      this.#listener().introduced(name, process.pid.serial, as);
    }
  }

  #join(
    process: Process,
    name: string,
    known: LocalGroup | undefined,
    slow: Slow,
    { gather = 0, here = false }: JoinOptions,
  ): void {
    let group = known;
    const joined = this.#memberships.get(process)?.groups.length ?? 0;
    if (joined >= MAX_MEMBERSHIPS)
      throw new RangeError(
        `${process.pid} is in ${joined} groups, which is the most a process may join: leave one first`,
      );
    if (!group) {
      if (this.#groups.size >= MAX_GROUPS)
        throw new RangeError(`${MAX_GROUPS} groups have members in this worker, which is the most`);
      group = new LocalGroup(name);
      this.#groups.set(name, group);
      group.here = here;
      if (here) this.#listener().keptHere?.(name);
    }
    let membership = this.#memberships.get(process);
    if (!membership) this.#memberships.set(process, (membership = new Membership(process, this)));
    membership.groups.push(group);
    group.slow = slow;
    group.gather = gather;
    group.add(process);
    this.#count++;
    this.#listener().joined(name, process.pid.serial);
  }

  leave(process: Process, name: string): void {
    const membership = this.#memberships.get(process);
    const at = membership?.groups.findIndex((group) => group.name === name) ?? -1;
    if (!membership || at === -1) return;
    const [group] = membership.groups.splice(at, 1);
    this.#remove(process, group as LocalGroup);
    if (membership.groups.length === 0) this.#forget(process, membership);
  }

  /** A connection leaves all groups when it begins to end. */
  watch(connection: GroupMember): void {
    if (this.#watched.has(connection)) return;
    this.#watched.add(connection);
    connection.whenEnding(() => this.leaveAll(connection));
  }

  leaveAll(process: Process): void {
    const membership = this.#memberships.get(process);
    if (!membership) return;
    for (const group of membership.groups) this.#remove(process, group);
    this.#forget(process, membership);
  }

  #remove(process: Process, group: LocalGroup): void {
    group.delete(process);
    this.#count--;
    if (group.size === 0) this.#groups.delete(group.name);
    this.#listener().left(group.name, process.pid.serial);
  }

  #forget(process: Process, membership: Membership): void {
    this.#memberships.delete(process);
    membership.end();
  }
}

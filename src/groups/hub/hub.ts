/**
 * Hub of groups: which OS processes have members of which group, and which members. The one place that all messages of
 * a group pass, so that all its members see them in one order. Pure: it runs in the exchange, for all workers, or in the
 * only OS process of a server.
 */
import { PeerGroups } from "./peer-groups.js";
import { type LeaveReason, type PresenceOwner, type PresenceRow, PresenceTable } from "./presence-table.js";

/** A process, as `[worker, serial]` of its pid; with the name of its server where that is another one. */
export type PidPair = readonly [worker: number, serial: number, node?: string];

/** Nobody is excepted. */
export const NONE: PidPair = [0, 0];

/** One worker, as the hub sees it. M is what messages are here: a `Message`, or its bytes. */
export interface HubPort<M> extends PresenceOwner {
  readonly worker: number;
  /** Sends a message on to the members of a group in this worker. */
  deliver(group: string, message: M, except: PidPair): void;
}

/** Another server, as the hub sees it. */
export interface HubPeer<M> {
  readonly node: string;
  /** Sends a message on to the members of a group on that server. */
  publish(group: string, message: M): void;
  /** The same for so many messages of one group, as the records that they came in. */
  pass(records: Buffer, messages: number): void;
}

/** Members of one group in one worker, by serial. */
type Members = Set<number>;

export interface GroupCount {
  readonly name: string;
  readonly members: number;
}

export class Hub<M, P extends HubPort<M> = HubPort<M>> {
  readonly #groups = new Map<string, Map<P, Members>>();
  /** Groups of each port, so that its end costs what it has. */
  readonly #ports = new Map<P, Set<string>>();
  /** Members on other servers. */
  readonly peers = new PeerGroups<HubPeer<M>>();
  readonly #changed: ((group: string) => void) | undefined;
  /** Groups that stay on this server. */
  readonly #here = new Set<string>();
  /** Memberships in all, of this server. */
  memberships = 0;
  /** Of those members that have introduced themselves. */
  readonly presence: PresenceTable<PresenceOwner>;

  /**
   * @param onChanged the number of members that a group has on this server has changed
   * @param onPresence the presence of a member on this server has changed
   */
  constructor(onChanged?: (group: string) => void, onPresence?: (group: string, row: PresenceRow) => void) {
    this.#changed = onChanged;
    this.presence = new PresenceTable(onPresence);
  }

  /** Groups with members on this server. */
  get groupCount(): number {
    return this.#groups.size;
  }

  /** Groups with members on any server. */
  get allGroups(): number {
    return this.peers.size === 0
      ? this.#groups.size
      : new Set([...this.#groups.keys(), ...this.peers.names()]).size;
  }

  /** The group stays on this server, until it has no members. */
  keepHere(group: string): void {
    this.#here.add(group);
  }

  isHere(group: string): boolean {
    return this.#here.has(group);
  }

  attach(port: P): void {
    this.#ports.set(port, new Set());
  }

  /** The worker has gone, and all its members. */
  detach(port: P, why: LeaveReason = "left"): void {
    this.presence.detach(port, why);
    for (const group of this.#ports.get(port) ?? []) {
      this.#forget(port, group);
      this.#changed?.(group);
    }
    this.#ports.delete(port);
  }

  join(port: P, group: string, serial: number): void {
    const groups = this.#ports.get(port);
    if (!groups) return;
    let ports = this.#groups.get(group);
    if (!ports) this.#groups.set(group, (ports = new Map()));
    let members = ports.get(port);
    if (!members) {
      ports.set(port, (members = new Set()));
      groups.add(group);
    }
    const before = members.size;
    this.memberships += members.add(serial).size - before;
    this.#changed?.(group);
  }

  /** A member has introduced itself; again, it replaces what it has said before. */
  introduce(port: P, group: string, serial: number, key: string, info: string): void {
    const row: PresenceRow = { node: "", worker: port.worker, serial, key, info };
    if (this.#groups.get(group)?.get(port)?.has(serial)) this.presence.set(port, group, row);
  }

  leave(port: P, group: string, serial: number): void {
    this.presence.remove(port, group, { node: "", worker: port.worker, serial }, "left");
    const members = this.#groups.get(group)?.get(port);
    if (!members?.delete(serial)) return;
    this.memberships--;
    this.#changed?.(group);
    if (members.size > 0) return;
    this.#forget(port, group);
    this.#ports.get(port)?.delete(group);
  }

  #forget(port: P, group: string): void {
    const ports = this.#groups.get(group);
    this.memberships -= ports?.get(port)?.size ?? 0;
    ports?.delete(port);
    if (ports?.size !== 0) return;
    this.#groups.delete(group);
    this.#here.delete(group);
  }

  /** Sends a message to all members but one, on all servers. */
  publish(group: string, message: M, except: PidPair): void {
    this.publishHere(group, message, except);
    for (const peer of this.peersOf(group)) peer.publish(group, message);
  }

  /** Sends a message to the members on this server but one. */
  publishHere(group: string, message: M, except: PidPair): void {
    for (const port of this.portsOf(group)) port.deliver(group, message, except);
  }

  /** Workers with members of a group. */
  portsOf(group: string): Iterable<P> {
    return this.#groups.get(group)?.keys() ?? [];
  }

  /** Other servers with members of a group. */
  peersOf(group: string): Iterable<HubPeer<M>> {
    return this.peers.size === 0 || this.#here.has(group) ? [] : this.peers.of(group);
  }

  /** Groups with members on this server. */
  ownGroups(): Iterable<string> {
    return this.#groups.keys();
  }

  /** Members of a group in one worker. */
  countAt(port: P, group: string): number {
    return this.#groups.get(group)?.get(port)?.size ?? 0;
  }

  /** Members on all servers. */
  count(group: string): number {
    return this.ownCount(group) + (this.#here.has(group) ? 0 : this.peers.count(group));
  }

  /** Members on this server. */
  ownCount(group: string): number {
    let count = 0;
    for (const members of this.#groups.get(group)?.values() ?? []) count += members.size;
    return count;
  }

  /** Members on this server, by worker and serial: the order in which they joined is not kept across workers. */
  members(group: string): PidPair[] {
    const all: PidPair[] = [];
    for (const [{ worker }, serials] of this.#groups.get(group) ?? [])
      for (const serial of serials) all.push([worker, serial]);
    return all.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }

  /** The groups with most members, by number of members and then by name. */
  largest(limit: number): GroupCount[] {
    const names = new Set([...this.#groups.keys(), ...this.peers.names()]);
    const all = [...names].map((name) => ({ name, members: this.count(name) }));
    return all.sort((a, b) => b.members - a.members || (a.name < b.name ? -1 : 1)).slice(0, limit);
  }
}

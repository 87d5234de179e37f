/**
 * Table of presence in the hub: who is in which group, with key and info. Rows belong to their owner, a worker or another
 * machine, and only it writes them. Workers with members of a group hear its changes, together, at most each 100 ms, so
 * that 1,000 members that join are 10 events and not 1,000 for each. Pure but for the clock.
 */
import { runInMicrotask } from "../../otp/process/microtask.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { LeftMember } from "../../tcp/protocol/presence.js";

/** Milliseconds between two events of a group. */
const EVERY = 100;
/** Members above which a group has only `count()`: an event for each of n members costs n² rows. */
export const MAX_PRESENT = 1_000;
/** Largest info, as bytes of JSON. */
export const MAX_INFO = 1_024;

export interface PresenceRow {
  /** Name of its machine; empty: this one. */
  readonly node: string;
  readonly worker: number;
  readonly serial: number;
  readonly key: string;
  /** JSON text: the hub does not read it. */
  readonly info: string;
}

export type LeaveReason = LeftMember["why"];

/** What has changed in a group; with `all`, `joined` has all rows. */
export interface PresenceChange {
  readonly all: boolean;
  readonly joined: readonly PresenceRow[];
  readonly left: readonly (PresenceRow & { readonly why: LeaveReason })[];
}

/** Owner of rows. One that is a worker of this server hears of the groups in which it has rows. */
export interface PresenceOwner {
  /** @returns false when there is no room: it gets all rows later */
  presence?(group: string, change: PresenceChange): boolean;
}

interface Pending {
  /** As the workers know it. */
  readonly before: PresenceRow | undefined;
  why: LeaveReason;
}

interface Group<P> {
  readonly rows: Map<string, { readonly owner: P; readonly row: PresenceRow }>;
  /** Number of rows by owner. */
  readonly owners: Map<P, number>;
  /** What the workers have not been told. */
  readonly pending: Map<string, Pending>;
  /** Owners that do not know the group yet. */
  readonly fresh: Set<P>;
  /** Set while an event is on its way. */
  timer: TimerRef | "microtask";
  sentAt: number;
}

/** The same for all rows of one process. */
export const rowId = ({ node, worker, serial }: Pick<PresenceRow, "node" | "worker" | "serial">) =>
  `${worker}.${serial}@${node}`;

export class PresenceTable<P extends PresenceOwner> {
  readonly #groups = new Map<string, Group<P>>();
  readonly #owned = new Map<P, Set<string>>();
  readonly #changed: ((group: string, row: PresenceRow) => void) | undefined;
  #held = false;

  /** @param onChanged a row of this server was added, replaced or removed */
  constructor(onChanged?: (group: string, row: PresenceRow) => void) {
    this.#changed = onChanged;
  }

  /** Tells nothing until `release`: the rows of other workers are on their way. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const [name, group] of this.#groups) this.#schedule(name, group);
  }

  /** Adds a row, or replaces it. */
  set(owner: P, name: string, row: PresenceRow): void {
    const group = this.#group(name);
    const id = rowId(row);
    const known = group.rows.get(id);
    const owners = known?.owner === owner ? 0 : 1;
    if (known && known.owner !== owner) this.#count(name, group, known.owner, -1);
    this.#note(group, id, known?.row, "left");
    group.rows.set(id, { owner, row });
    this.#count(name, group, owner, owners);
    this.#schedule(name, group);
    if (row.node === "") this.#changed?.(name, row);
  }

  remove(
    owner: P,
    name: string,
    which: Pick<PresenceRow, "node" | "worker" | "serial">,
    why: LeaveReason,
  ): void {
    const group = this.#groups.get(name);
    if (group) this.#remove(owner, name, group, rowId(which), why);
  }

  #remove(owner: P, name: string, group: Group<P>, id: string, why: LeaveReason): void {
    const known = group.rows.get(id);
    // Its worker has connected anew, and the row belongs to the new link.
    if (known?.owner !== owner) return;
    this.#note(group, id, known.row, why);
    // Above the maximum nothing is told, for days perhaps: a member that has come and gone leaves nothing behind.
    if (group.pending.get(id)?.before === undefined) group.pending.delete(id);
    group.rows.delete(id);
    this.#count(name, group, owner, -1);
    this.#schedule(name, group);
    if (known.row.node === "") this.#changed?.(name, known.row);
  }

  /** The owner has gone, with all its rows. */
  detach(owner: P, why: LeaveReason): void {
    this.replace(owner, [], why);
  }

  /** Replaces all rows of an owner in one step: rows that stay are not heard of. */
  replace(owner: P, rows: Iterable<readonly [group: string, row: PresenceRow]>, why: LeaveReason): void {
    const kept = new Map<string, Set<string>>();
    for (const [name, row] of rows) {
      this.set(owner, name, row);
      const ids = kept.get(name);
      if (ids) ids.add(rowId(row));
      else kept.set(name, new Set([rowId(row)]));
    }
    for (const name of [...(this.#owned.get(owner) ?? [])]) {
      const group = this.#groups.get(name) as Group<P>;
      for (const [id, one] of group.rows)
        if (one.owner === owner && kept.get(name)?.has(id) !== true)
          this.#remove(owner, name, group, id, why);
    }
  }

  /** All rows of an owner. */
  *rowsOf(owner: P): Iterable<readonly [group: string, row: PresenceRow]> {
    for (const name of this.#owned.get(owner) ?? [])
      for (const one of this.#groups.get(name)?.rows.values() ?? [])
        if (one.owner === owner) yield [name, one.row];
  }

  /** All rows of this server. Rows may come and go while it is read. */
  *ownRows(): Iterable<readonly [group: string, row: PresenceRow]> {
    for (const [name, { rows }] of this.#groups)
      for (const { row } of rows.values()) if (row.node === "") yield [name, row];
  }

  /** The row of a process of this server. */
  own(name: string, id: Pick<PresenceRow, "worker" | "serial">): PresenceRow | undefined {
    return this.#groups.get(name)?.rows.get(rowId({ ...id, node: "" }))?.row;
  }

  /** Changes of a group that the workers have not been told. */
  untold(name: string): number {
    return this.#groups.get(name)?.pending.size ?? 0;
  }

  count(name: string): number {
    return this.#groups.get(name)?.rows.size ?? 0;
  }

  /** All rows of a group, in the order in which they joined. */
  list(name: string): PresenceRow[] {
    return [...(this.#groups.get(name)?.rows.values() ?? [])].map(({ row }) => row);
  }

  #group(name: string): Group<P> {
    let group = this.#groups.get(name);
    if (!group) {
      group = {
        ...{ rows: new Map(), owners: new Map(), pending: new Map(), fresh: new Set() },
        ...{ timer: undefined, sentAt: -Infinity },
      };
      this.#groups.set(name, group);
    }
    return group;
  }

  #note({ pending }: Group<P>, id: string, before: PresenceRow | undefined, why: LeaveReason): void {
    const known = pending.get(id);
    if (known) known.why = why;
    else pending.set(id, { before, why });
  }

  #count(name: string, group: Group<P>, owner: P, by: number): void {
    const count = (group.owners.get(owner) ?? 0) + by;
    if (count > 0) {
      if (count === by) this.#own(name, group, owner);
      group.owners.set(owner, count);
      return;
    }
    group.owners.delete(owner);
    group.fresh.delete(owner);
    const groups = this.#owned.get(owner);
    groups?.delete(name);
    if (groups?.size === 0) this.#owned.delete(owner);
  }

  #own(name: string, group: Group<P>, owner: P): void {
    group.fresh.add(owner);
    const groups = this.#owned.get(owner);
    if (groups) groups.add(name);
    else this.#owned.set(owner, new Set([name]));
  }

  #schedule(name: string, group: Group<P>): void {
    if (group.timer !== undefined || this.#held || group.rows.size > MAX_PRESENT) return;
    const wait = group.sentAt + EVERY - clock.now();
    const send = () => this.#send(name, group);
    if (wait > 0) group.timer = clock.setTimeout(send, wait, true);
    else {
      group.timer = "microtask";
      runInMicrotask(send);
    }
  }

  #send(name: string, group: Group<P>): void {
    group.timer = undefined;
    // Above the maximum the changes are kept: what they come to is told when there are fewer members again.
    if (this.#held || group.rows.size > MAX_PRESENT) return;
    group.sentAt = clock.now();
    const change = this.#change(group);
    const whole = { all: true, joined: [...group.rows.values()].map(({ row }) => row), left: [] };
    for (const owner of group.owners.keys()) {
      const sent = group.fresh.delete(owner) ? whole : change;
      if (!owner.presence || sent.joined.length + sent.left.length === 0) continue;
      if (!owner.presence(name, sent)) group.fresh.add(owner);
    }
    if (group.rows.size === 0) this.#groups.delete(name);
    else if ([...group.fresh].some(({ presence }) => presence)) this.#schedule(name, group);
  }

  /** What the pending changes come to; one that has left and joined again as it was is none. */
  #change({ rows, pending }: Group<P>): PresenceChange {
    const joined: PresenceRow[] = [];
    const left: (PresenceRow & { readonly why: LeaveReason })[] = [];
    for (const [id, { before, why }] of pending) {
      const row = rows.get(id)?.row;
      if (!row) {
        if (before) left.push({ ...before, why });
      } else if (before?.key !== row.key || before.info !== row.info) joined.push(row);
    }
    pending.clear();
    return { all: false, joined, left };
  }
}

/**
 * Presence of one group as this OS process knows it: what the hub has told, and which members here still need the whole
 * list. It is kept while the exchange is away, so that after its restart only real changes are events.
 */
import { Pid, RemotePid } from "../../otp/process/pid.js";
import type { Process } from "../../otp/process/process.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { GroupMember } from "../../tcp/connection/group-member.js";
import type { LeftMember, Presence, PresentMember } from "../../tcp/protocol/presence.js";
import type { Json } from "../../tcp/protocol/sources.js";
import { type PresenceChange, type PresenceRow, rowId } from "../hub/presence-table.js";

/** Milliseconds after which a member that could not take the list, as its mailbox was full or its state has no cell, is offered it again. */
const OFFER_EVERY = 1_000;

/** What a member says of itself. */
export interface Introduction {
  readonly key: string;
  /** JSON text. */
  readonly info: string;
}

export class PresenceView {
  readonly #group: string;
  readonly #members = new Map<Process, Introduction>();
  /** Members that have not had the list. */
  readonly #fresh = new Set<Process>();
  /** By pid; `undefined` until the hub has told all. */
  #rows: Map<string, { readonly row: PresenceRow; readonly member: PresentMember }> | undefined = undefined;
  #timer: TimerRef = undefined;

  constructor(group: string) {
    this.#group = group;
  }

  /** Members here, with key and info. */
  get members(): ReadonlyMap<Process, Introduction> {
    return this.#members;
  }

  add(process: Process, introduction: Introduction): void {
    if (!this.#members.has(process)) this.#fresh.add(process);
    this.#members.set(process, introduction);
    this.#offerLater();
  }

  /** @returns whether no member is left: the view is of no use then */
  delete(process: Process): boolean {
    this.#members.delete(process);
    this.#fresh.delete(process);
    if (this.#members.size > 0) return false;
    clock.clearTimeout(this.#timer);
    return true;
  }

  /** The hub has told of changes. */
  apply(change: PresenceChange): void {
    const before = this.#rows;
    // Of an earlier membership in this group: all rows follow.
    if (!change.all && !before) return;
    const rows: NonNullable<typeof before> = change.all ? new Map() : (before as NonNullable<typeof before>);
    const joined: PresentMember[] = [];
    for (const row of change.joined) {
      const id = rowId(row);
      const known = before?.get(id);
      const same = change.all && known?.row.key === row.key && known.row.info === row.info;
      const member = same ? known.member : presentMember(row);
      rows.set(id, { row, member });
      if (!same) joined.push(member);
    }
    const left: LeftMember[] = [];
    for (const row of change.left) {
      rows.delete(rowId(row));
      left.push({ ...presentMember(row), why: row.why });
    }
    if (change.all && before)
      for (const [id, { member }] of before) if (!rows.has(id)) left.push({ ...member, why: "left" });
    this.#rows = rows;
    this.#deliver(joined, left);
  }

  #deliver(joined: readonly PresentMember[], left: readonly LeftMember[]): void {
    const change: Presence = { group: this.#group, initial: false, joined, left };
    if (joined.length + left.length > 0)
      // What it cannot take now would be a gap: it gets all later.
      for (const process of this.#members.keys())
        if (!this.#fresh.has(process) && !this.#offer(process, change)) this.#fresh.add(process);
    this.#offerAll();
  }

  /** The whole list for those that have not had it. */
  #offerAll(): void {
    const rows = this.#rows;
    if (this.#fresh.size === 0 || !rows) return;
    const joined = [...rows.values()].map(({ member }) => member);
    const list: Presence = { group: this.#group, initial: true, joined, left: [] };
    // Its own row is on its way.
    for (const process of this.#fresh)
      if (rows.has(rowId({ ...pairOf(process), node: "" })) && this.#offer(process, list))
        this.#fresh.delete(process);
    this.#offerLater();
  }

  /** Processes that are no connections have no `presence` cell. */
  #offer(process: Process, presence: Presence): boolean {
    if (!(process instanceof GroupMember)) return true;
    return process.takePresence(presence, () => this.#unheard(process));
  }

  /** Its state had no cell for what was offered: a later one may have, and gets the whole list. */
  #unheard(process: Process): void {
    if (!this.#members.has(process)) return;
    this.#fresh.add(process);
    this.#offerLater();
  }

  #offerLater(): void {
    if (this.#fresh.size === 0 || this.#timer !== undefined) return;
    const offerAll = () => {
      this.#timer = undefined;
      this.#offerAll();
    };
    this.#timer = clock.setTimeout(offerAll, OFFER_EVERY, true);
  }
}

const pairOf = ({ pid: { worker, serial } }: Process) => ({ worker, serial });

/** A row as members see it. */
export function presentMember({ node, worker, serial, key, info }: PresenceRow): PresentMember {
  const pid = node === "" ? new Pid(worker, serial) : new RemotePid(worker, serial, node);
  return { pid, key, info: parsed(info) };
}

/** JSON that a protocol has forged is no reason to fail. */
function parsed(info: string): Json {
  try {
    return JSON.parse(info) as Json;
  } catch {
    return null;
  }
}

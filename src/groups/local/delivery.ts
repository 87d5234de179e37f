/**
 * Delivery of group messages to the members in this OS process, in the order of the hub. Consecutive messages of one
 * group go to each member together, in one write where it forwards them. A large group is served in slices of 1 ms,
 * between which the other connections run: 10,000 members would hold the worker for 60 ms.
 */
import { runInMicrotask } from "../../otp/process/microtask.js";
import type { Process } from "../../otp/process/process.js";
import { clock, machineTime, type TimerRef } from "../../otp/time/clock.js";
import { GroupMember, MAX_GROUP_MESSAGES } from "../../tcp/connection/group-member.js";
import { processLoop } from "../../tcp/loop/loop.js";
import type { Deferred } from "../../tcp/loop/run-queue.js";
import { SharedWrites } from "../../tcp/loop/shared-writes.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import { SharedMessage, SharedMessages } from "../../tcp/protocol/compiled/shared-messages.js";
import { cleanContext } from "../../transport/async-context.js";
import type { Message } from "../message.js";
import type { LocalGroup, LocalMembers } from "./local-members.js";
import { LET_GO_AT } from "./uplink.js";

/** Milliseconds. */
const SLICE = 1;
/** Members between two looks at the clock: less than half a slice. */
const AT_ONCE = 64;
/** Messages, and bytes, that go to a member together: as many as one turn brings, or `gather` has collected. */
const BATCH = 1_000;
const BATCH_BYTES = 64 * 1024;

/** Bytes that wait above which groups gather no more: at twice as many the link would stay paused until their time is over. */
const MAX_GATHERED = LET_GO_AT / 2;

interface Item {
  readonly group: string;
  readonly message: Message;
  /** Serial of the process that does not get it; 0: none. */
  readonly except: number;
}

/** Messages that are being delivered, and how far they are. */
interface Round {
  readonly group: LocalGroup;
  readonly members: readonly Process[];
  readonly items: readonly Item[];
  readonly all: SharedMessages;
  readonly excepted: ReadonlySet<number>;
  bytes: number;
  next: number;
}

export class Delivery implements Deferred {
  /** Bytes of the messages that wait. */
  waiting = 0;
  readonly #members: LocalMembers;
  readonly #onLess: () => void;
  #queue: Item[] = [];
  /** Of the next message in it: taking each out of the array itself costs 60 us where 95,000 wait. */
  #next = 0;
  /** Messages of groups with `gather`, until their time is over. */
  readonly #gathered = new Map<string, { readonly items: Item[]; bytes: number; readonly timer: TimerRef }>();
  #round: Round | undefined = undefined;
  readonly #writes = new SharedWrites();
  /** Of all slices but the first: what the context of a sender has entered must not be seen by members. */
  readonly #context = cleanContext();
  #armed = false;

  /** @param onLess called after each slice, when fewer bytes wait than before */
  constructor(members: LocalMembers, onLess: () => void) {
    this.#members = members;
    this.#onLess = onLess;
  }

  /** Adds a message for the members here; delivered in a microtask at the earliest. */
  add(group: string, message: Message, except: number): void {
    this.waiting += message.byteLength;
    const item = { group, message, except };
    const gather = this.#members.get(group)?.gather ?? 0;
    if (gather > 0 || this.#gathered.has(group)) return this.#gather(item, gather);
    this.#queue.push(item);
    this.#arm();
  }

  /** Where many messages come one by one, each member gets all of some milliseconds in one write. */
  #gather(item: Item, ms: number): void {
    let gathered = this.#gathered.get(item.group);
    if (!gathered) {
      const timer = clock.setTimeout(() => this.#release(item.group), ms, true);
      this.#gathered.set(item.group, (gathered = { items: [], bytes: 0, timer }));
    }
    gathered.items.push(item);
    gathered.bytes += item.message.byteLength;
    if (gathered.bytes < BATCH_BYTES && this.waiting < MAX_GATHERED) return;
    clock.clearTimeout(gathered.timer);
    this.#release(item.group);
  }

  #release(group: string): void {
    for (const item of this.#gathered.get(group)?.items ?? []) this.#queue.push(item);
    this.#gathered.delete(group);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    runInMicrotask(this.#run);
  }

  resumeTurn(): void {
    this.#run();
  }

  readonly #run = (): void => {
    const until = clock.now() + SLICE;
    while (this.#hasMore) {
      this.#deliverSome();
      if (clock.now() >= until) break;
    }
    if (this.#hasMore) processLoop.runQueue.add(this, this.#context);
    else this.#armed = false;
    this.#onLess();
  };

  get #hasMore(): boolean {
    return this.#round !== undefined || this.#next < this.#queue.length;
  }

  #deliverSome(): void {
    this.#round ??= this.#nextRound();
    if (this.#round === undefined || !this.#deliver(this.#round)) return;
    this.#delivered(this.#round);
    this.#round = undefined;
  }

  #delivered({ bytes, items }: Round): void {
    this.waiting -= bytes;
    for (const { message } of items)
      if (message.sentAt > 0)
        groupCounters.delivery.record(Math.max(0, machineTime() - message.sentAt) / 1_000);
  }

  /** Takes the next messages of one group out of the queue; `undefined` when it has no member here. */
  #nextRound(): Round | undefined {
    const name = (this.#queue[this.#next] as Item).group;
    const taken: Item[] = [];
    let bytes = 0;
    while (taken.length < BATCH && bytes < BATCH_BYTES) {
      const item = this.#queue[this.#next];
      if (item?.group !== name) break;
      this.#next++;
      taken.push(item);
      bytes += item.message.byteLength;
    }
    this.#shrink();
    // A message that cannot be read is passed over: its sender has forged it.
    const items = taken.filter(({ message }) => message.readable);
    const group = this.#members.get(name);
    if (!group) {
      this.waiting -= bytes;
      return undefined;
    }
    const excepted = new Set(items.map(({ except }) => except));
    excepted.delete(0);
    const all = new SharedMessages(
      items.map(({ message }) => new SharedMessage(message.value, name, message.sender)),
    );
    return { group, members: group.list, items, all, excepted, bytes, next: 0 };
  }

  /** Lets go of messages that were taken: of all of them at once, or when they are the larger half. */
  #shrink(): void {
    if (this.#next < this.#queue.length && (this.#next < BATCH || 2 * this.#next < this.#queue.length))
      return;
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
  }

  /** Delivers to some members. @returns whether all have got it */
  #deliver(round: Round): boolean {
    const { members } = round;
    const end = Math.min(round.next + AT_ONCE, members.length);
    while (round.next < end) this.#deliverTo(members[round.next++] as Process, round);
    this.#writes.flush();
    return end === members.length;
  }

  #deliverTo(member: Process, round: Round): void {
    const { group, members, all, excepted } = round;
    // It may have left since the round began.
    if (!group.isList(members) && !group.has(member)) return;
    const mine = excepted.size === 0 ? all : without(round, member.pid.serial);
    if (mine.list.length === 0) return;
    if (member instanceof GroupMember) member.takeMessages(mine, group.slow === "end", this.#writes);
    else deliverAsMail(member, mine);
  }
}

/** All messages but those that except this process. */
function without({ all, excepted, items }: Round, serial: number): SharedMessages {
  if (!excepted.has(serial)) return all;
  return new SharedMessages(all.list.filter((_, at) => (items[at] as Item).except !== serial));
}

/** Members that are no connections have it in their mailbox as a plain message. */
function deliverAsMail(member: Process, messages: SharedMessages): void {
  for (const { value } of messages.list) {
    if (!member.alive) groupCounters.dropped.ended++;
    else if (member.messageQueueLength >= Math.min(MAX_GROUP_MESSAGES, member.maxMessages))
      groupCounters.dropped.mailbox_full++;
    else {
      groupCounters.delivered++;
      member.deliver(value);
    }
  }
}

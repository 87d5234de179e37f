/**
 * Names held by processes of this OS process, their claims that wait, and the requests that they have not answered. All
 * of a process ends with it.
 */
import { addMonitor, type DownMessage } from "../../otp/process/links/monitors.js";
import type { Process } from "../../otp/process/process.js";
import { clock } from "../../otp/time/clock.js";
import { GroupMember } from "../../tcp/connection/group-member.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import { ClaimError } from "../ask-error.js";
import type { ClaimResult, Granted } from "../hub/name-row.js";
import type { ReceivedRequest } from "../request.js";
import { ProcessSets } from "./process-sets.js";

/** Names that one process may hold. */
export const MAX_NAMES = 16;
/** Names held in one OS process. */
const MAX_HELD = 1_000_000;

/** The part of the uplink that names use. */
export interface NameUplink {
  claim(id: number, name: string, serial: number, refuse: boolean): void;
  release(name: string, serial: number): void;
}

interface PendingClaim {
  readonly name: string;
  readonly refuse: boolean;
  readonly process: Process;
  settle(result: Granted | ClaimError): void;
}

class HeldName {
  readonly process: Process;
  readonly token: number;
  constructor(process: Process, token: number) {
    this.process = process;
    this.token = token;
  }
}

/** Of a process that holds no name any more, and is watched all the same: it may again. */
const NO_NAMES: readonly string[] = [];

export class LocalNames {
  /** By name. A name takes 145 bytes in these tables, beside the monitor of its process (122). */
  readonly #held = new Map<string, HeldName>();
  /** The names of each process that is watched; one name without an array, as most have no more. */
  readonly #names = new Map<Process, string | readonly string[]>();
  readonly #claims = new Map<number, PendingClaim>();
  readonly #claimsOf = new ProcessSets<number>();
  readonly #requests = new ProcessSets<ReceivedRequest>();
  /** One for all connections. */
  readonly #whenEnding = (process: Process) => this.#ended(process);
  readonly #uplink: () => NameUplink;
  readonly #mostHeld: number;
  #lastId = 0;
  /**
   * Highest token that a process was given here. An exchange that is started anew gives none below it, also of names
   * that are free by then: the wall clock may have gone back, or other servers' may be ahead.
   */
  highestToken = 0;

  /** @param mostHeld names that processes of this OS process may hold */
  constructor(uplink: () => NameUplink, mostHeld = MAX_HELD) {
    this.#uplink = uplink;
    this.#mostHeld = mostHeld;
  }

  /** Number of names held here. */
  get size(): number {
    return this.#held.size;
  }

  holder(name: string): Process | undefined {
    return this.#held.get(name)?.process;
  }

  /** All names held here, for an exchange that does not know them. */
  *rows(): Iterable<{ readonly name: string; readonly serial: number; readonly token: number }> {
    for (const [name, { process, token }] of this.#held) yield { name, serial: process.pid.serial, token };
  }

  /** Claims that have no answer yet. */
  *pending(): Iterable<{ id: number; name: string; serial: number; refuse: boolean }> {
    for (const [id, { name, refuse, process }] of this.#claims)
      yield { id, name, refuse, serial: process.pid.serial };
  }

  namesOf(process: Process): readonly string[] {
    const names = this.#names.get(process) ?? NO_NAMES;
    return typeof names === "string" ? [names] : names;
  }

  /** @throws RangeError beyond `MAX_NAMES`, and the most of this OS process. Rejects with ClaimError */
  claim(process: Process, name: string, refuse: boolean, within: number): Promise<Granted> {
    if (!process.alive || (process instanceof GroupMember && process.isEnding))
      return Promise.reject(new ClaimError("ended", `${process.pid} has ended`));
    const names = this.namesOf(process);
    if (!names.includes(name) && names.length + this.#claimsOf.sizeOf(process) >= MAX_NAMES)
      throw new RangeError(`${process.pid} holds ${MAX_NAMES} names, which is the most: release one first`);
    if (!this.#held.has(name) && this.#held.size + this.#claims.size >= this.#mostHeld)
      throw new RangeError(`${this.#mostHeld} names are held in this worker, which is the most`);
    this.#watch(process);
    const id = (this.#lastId = (this.#lastId % 0xffff_fffe) + 1);
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => this.#giveUp(id, name, within), within);
      const settle = (result: Granted | ClaimError) => {
        clock.clearTimeout(timer);
        this.#claims.delete(id);
        this.#claimsOf.delete(process, id);
        if (result instanceof ClaimError) reject(result);
        else resolve(result);
      };
      this.#claims.set(id, { name, refuse, process, settle });
      this.#claimsOf.add(process, id);
      this.#uplink().claim(id, name, process.pid.serial, refuse);
    });
  }

  #giveUp(id: number, name: string, within: number): void {
    const claim = this.#claims.get(id);
    if (!claim) return;
    const { process } = claim;
    const again = this.#claimsOf
      .of(process)
      .some((one) => one !== id && this.#claims.get(one)?.name === name);
    // A holder that claimed its name again still has it, here and in the hub; another claim of it still waits.
    if (this.holder(name) !== process && !again) this.#uplink().release(name, process.pid.serial);
    claim.settle(new ClaimError("timeout", `the claim of ${name} was not answered within ${within} ms`));
  }

  /** The hub has decided. */
  claimed(id: number, result: ClaimResult): void {
    const claim = this.#claims.get(id);
    if (!claim) return;
    const { name, process, settle } = claim;
    if ("refused" in result) return settle(new ClaimError("taken", `the name ${name} is taken`));
    groupCounters.namesClaimed++;
    this.highestToken = Math.max(this.highestToken, result.token);
    const names = this.namesOf(process);
    if (!names.includes(name)) this.#names.set(process, names.length === 0 ? name : [...names, name]);
    this.#held.set(name, new HeldName(process, result.token));
    settle(result);
  }

  release(process: Process, name: string): void {
    const names = this.namesOf(process);
    if (!names.includes(name)) return;
    const rest = names.filter((one) => one !== name);
    this.#names.set(process, rest.length === 0 ? NO_NAMES : rest);
    this.#letGo(process, name);
  }

  #letGo(process: Process, name: string): void {
    // A newer claim of this OS process may hold it by now.
    if (this.holder(name) === process) this.#held.delete(name);
    this.#uplink().release(name, process.pid.serial);
  }

  /** A newer claim waits for this name. */
  replace(name: string, serial: number): void {
    const process = this.holder(name);
    // It has ended, and its release is under way.
    if (process?.pid.serial !== serial) return;
    groupCounters.namesReplaced++;
    if (process instanceof GroupMember) return process.replaced(name, () => this.release(process, name));
    process.receiveExit(process.pid, { shutdown: { replaced: name } });
    // It traps exits, and goes on without the name: its mailbox may be long, and the claim waits.
    if (process.alive) this.release(process, name);
  }

  /** Remembers a request until it is answered. @returns what is called then */
  asked(process: Process, request: ReceivedRequest): () => void {
    this.#watch(process);
    this.#requests.add(process, request);
    return () => this.#requests.delete(process, request);
  }

  /** Not undone: the process was found to hold names once, and may again. */
  #watch(process: Process): void {
    if (this.#names.has(process)) return;
    this.#names.set(process, NO_NAMES);
    if (process instanceof GroupMember) process.whenEnding(this.#whenEnding);
    else addMonitor(process.pid, this);
  }

  /** A process that is no connection has exited. */
  receiveDown({ down }: DownMessage): void {
    this.#ended(down.target as unknown as Process);
  }

  #ended(process: Process): void {
    const names = this.namesOf(process);
    this.#names.delete(process);
    for (const name of names) this.#letGo(process, name);
    for (const id of this.#claimsOf.of(process)) {
      const claim = this.#claims.get(id) as PendingClaim;
      this.#uplink().release(claim.name, process.pid.serial);
      claim.settle(new ClaimError("ended", `${process.pid} has ended`));
    }
    for (const request of this.#requests.of(process))
      request.giveUp("ended", "the process that holds the name has ended");
  }
}

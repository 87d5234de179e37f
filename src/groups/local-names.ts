/**
 * Names held by processes of this OS process, their claims that wait, and the requests that they have not answered. All
 * of a process ends with it.
 */
import { addMonitor, type MonitorRef } from "../otp/process/monitors.js";
import type { Process } from "../otp/process/process.js";
import { clock } from "../otp/time/clock.js";
import { GroupMember } from "../tcp/connection/group-member.js";
import { groupCounters } from "../tcp/observe/group-counters.js";
import { ClaimError } from "./ask-error.js";
import type { ClaimResult, Granted } from "./name-row.js";
import type { ReceivedRequest } from "./request.js";

/** Names that one process may hold. */
export const MAX_NAMES = 16;

/** The part of the uplink that names use. */
export interface NameUplink {
  claim(id: number, name: string, serial: number, refuse: boolean): void;
  release(name: string, serial: number): void;
}

interface PendingClaim {
  readonly name: string;
  readonly refuse: boolean;
  readonly owner: NameOwner;
  settle(result: Granted | ClaimError): void;
}

/** The names, claims and requests of one process. */
class NameOwner {
  readonly process: Process;
  /** Tokens by name. */
  readonly names = new Map<string, number>();
  readonly claims = new Set<number>();
  readonly requests = new Set<ReceivedRequest>();
  /** Not removed: the process was found to hold names once, and may again. */
  readonly monitor: MonitorRef | undefined;

  constructor(process: Process, ended: (owner: NameOwner) => void) {
    this.process = process;
    if (process instanceof GroupMember) process.whenEnding(() => ended(this));
    else this.monitor = addMonitor(process.pid, () => ended(this));
  }
}

export class LocalNames {
  readonly #owners = new Map<Process, NameOwner>();
  readonly #holders = new Map<string, NameOwner>();
  readonly #claims = new Map<number, PendingClaim>();
  readonly #uplink: () => NameUplink;
  #lastId = 0;

  constructor(uplink: () => NameUplink) {
    this.#uplink = uplink;
  }

  /** Number of names held here. */
  get size(): number {
    return this.#holders.size;
  }

  holder(name: string): Process | undefined {
    return this.#holders.get(name)?.process;
  }

  /** All names held here, for an exchange that does not know them. */
  *rows(): Iterable<{ readonly name: string; readonly serial: number; readonly token: number }> {
    for (const [name, { process, names }] of this.#holders)
      yield { name, serial: process.pid.serial, token: names.get(name) as number };
  }

  /** Claims that have no answer yet. */
  *pending(): Iterable<{ id: number; name: string; serial: number; refuse: boolean }> {
    for (const [id, { name, refuse, owner }] of this.#claims)
      yield { id, name, refuse, serial: owner.process.pid.serial };
  }

  namesOf(process: Process): readonly string[] {
    return [...(this.#owners.get(process)?.names.keys() ?? [])];
  }

  /** @throws RangeError beyond `MAX_NAMES`. Rejects with ClaimError */
  claim(process: Process, name: string, refuse: boolean, within: number): Promise<Granted> {
    if (!process.alive || (process instanceof GroupMember && process.isEnding))
      return Promise.reject(new ClaimError("ended", `${process.pid} has ended`));
    const owner = this.#owner(process);
    if (!owner.names.has(name) && owner.names.size + owner.claims.size >= MAX_NAMES)
      throw new RangeError(`${process.pid} holds ${MAX_NAMES} names, which is the most: release one first`);
    const id = (this.#lastId = (this.#lastId % 0xffff_fffe) + 1);
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => this.#giveUp(id, name, within), within);
      const settle = (result: Granted | ClaimError) => {
        clock.clearTimeout(timer);
        this.#claims.delete(id);
        owner.claims.delete(id);
        if (result instanceof ClaimError) reject(result);
        else resolve(result);
      };
      this.#claims.set(id, { name, refuse, owner, settle });
      owner.claims.add(id);
      this.#uplink().claim(id, name, process.pid.serial, refuse);
    });
  }

  #giveUp(id: number, name: string, within: number): void {
    const claim = this.#claims.get(id);
    if (!claim) return;
    this.#uplink().release(name, claim.owner.process.pid.serial);
    claim.settle(new ClaimError("timeout", `the claim of ${name} was not answered within ${within} ms`));
  }

  /** The hub has decided. */
  claimed(id: number, result: ClaimResult): void {
    const claim = this.#claims.get(id);
    if (!claim) return;
    const { name, owner, settle } = claim;
    if ("refused" in result) return settle(new ClaimError("taken", `the name ${name} is taken`));
    groupCounters.namesClaimed++;
    owner.names.set(name, result.token);
    this.#holders.set(name, owner);
    settle(result);
  }

  release(process: Process, name: string): void {
    const owner = this.#owners.get(process);
    if (!owner?.names.delete(name)) return;
    if (this.#holders.get(name) === owner) this.#holders.delete(name);
    this.#uplink().release(name, process.pid.serial);
  }

  /** A newer claim waits for this name. */
  replace(name: string, serial: number): void {
    const owner = this.#holders.get(name);
    // It has ended, and its release is under way.
    if (owner?.process.pid.serial !== serial) return;
    const { process } = owner;
    groupCounters.namesReplaced++;
    if (process instanceof GroupMember) process.replaced(name, () => this.release(process, name));
    else this.release(process, name);
  }

  /** Remembers a request until it is answered. @returns what is called then */
  asked(process: Process, request: ReceivedRequest): () => void {
    const owner = this.#owner(process);
    owner.requests.add(request);
    return () => void owner.requests.delete(request);
  }

  #owner(process: Process): NameOwner {
    let owner = this.#owners.get(process);
    if (!owner) this.#owners.set(process, (owner = new NameOwner(process, (ended) => this.#ended(ended))));
    return owner;
  }

  #ended(owner: NameOwner): void {
    const { process, names, claims, requests } = owner;
    this.#owners.delete(process);
    for (const name of [...names.keys()]) {
      if (this.#holders.get(name) === owner) this.#holders.delete(name);
      this.#uplink().release(name, process.pid.serial);
    }
    for (const id of [...claims]) {
      const claim = this.#claims.get(id) as PendingClaim;
      this.#uplink().release(claim.name, process.pid.serial);
      claim.settle(new ClaimError("ended", `${process.pid} has ended`));
    }
    for (const request of [...requests]) request.end("ended", "the process that holds the name has ended");
  }
}

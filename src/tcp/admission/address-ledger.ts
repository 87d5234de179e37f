/**
 * Ledger of client addresses: how many connections each has, how fast it connects, and which are banned. One ledger
 * decides for all workers of a server, so the limits are exact however the kernel spreads the clients.
 *
 * An address is a group: an IPv4 address, or a /64 of IPv6 (`text/address-group.ts`).
 */
import { clock } from "../../otp/time/clock.js";
import { tokensAt } from "./rate.js";
import type { AddressBan, AddressLimits, AddressRefusal, HeldAddress, Rate } from "./terms.js";

/** Groups without connections that are remembered, at most: an attacker has more /64 than there is memory. */
const MAX_GROUPS = 100_000;
/** New groups between two searches for such groups, at least: one takes milliseconds. */
const SWEEP_EVERY = MAX_GROUPS / 10;

/**
 * Milliseconds for which a worker refuses an address with as many connections as it may have, unless it ends one itself:
 * it asks a hundred times a second about an address that floods, not for each of its clients.
 */
const FULL_FOR = 10;

/** Accounts of one scope, by group. */
interface Accounts extends Map<string, Account> {
  /** Number of groups at which those without connections are forgotten. */
  sweepAt?: number;
}

interface Account {
  /** Connections by holder (worker). */
  readonly held: Map<number, number>;
  open: number;
  /** Connections that it may still open at once; fractions while they are refilled. */
  tokens: number;
  filledAt: number;
}

/** With what was earned since; without a rate there is no limit to keep. */
function tokensOf({ tokens, filledAt }: Account, rate: Rate | undefined, now: number): number {
  if (rate === undefined) return 0;
  return tokensAt(tokens, filledAt, rate, now);
}

export class AddressLedger {
  readonly #limits: (scope: string) => AddressLimits | undefined;
  /** By scope (a listener's name, or "" for the server), then by group. */
  readonly #accounts = new Map<string, Accounts>();
  /** Groups until when, in clock milliseconds. */
  readonly #bans = new Map<string, number>();

  /** @param limits of a listener; of the server for "" */
  constructor(limits: (scope: string) => AddressLimits | undefined) {
    this.#limits = limits;
  }

  /** A client of this group connects. @returns why it is refused; `undefined` when it is counted from now on */
  take(holder: number, listener: string, group: string): AddressRefusal | undefined {
    const now = clock.now();
    const banned = this.#bannedFor(group, now);
    if (banned > 0) return { reason: "banned", ms: banned };
    const scopes = [listener, ""].filter((scope) => this.#limits(scope) !== undefined);
    for (const scope of scopes) {
      const refusal = this.#refusal(scope, group, now);
      if (refusal !== undefined) return refusal;
    }
    for (const scope of scopes) this.#enter(this.#account(scope, group, now), holder);
    return undefined;
  }

  #refusal(scope: string, group: string, now: number): AddressRefusal | undefined {
    const { maxConnections = Infinity, rate, ban = 0 } = this.#limits(scope) as AddressLimits;
    const account = this.#account(scope, group, now);
    let refusal: AddressRefusal | undefined;
    if (account.open >= maxConnections) refusal = { reason: "address_connections", ms: FULL_FOR };
    else if (rate !== undefined && account.tokens < 1)
      refusal = { reason: "address_rate", ms: ((1 - account.tokens) / rate.perSecond) * 1_000 };
    if (refusal === undefined || ban === 0) return refusal;
    this.ban(group, ban);
    return { ...refusal, ms: 0 };
  }

  #enter(account: Account, holder: number): void {
    account.tokens--;
    this.#count(account, holder, 1);
  }

  #count(account: Account, holder: number, count: number): void {
    account.open += count;
    account.held.set(holder, (account.held.get(holder) ?? 0) + count);
  }

  /** Counts connections, whatever the limits are: they are open. */
  hold(holder: number, listener: string, group: string, count: number): void {
    const now = clock.now();
    for (const scope of [listener, ""])
      if (this.#limits(scope) !== undefined) this.#count(this.#account(scope, group, now), holder, count);
  }

  /** A connection that was taken has ended. */
  give(holder: number, listener: string, group: string): void {
    for (const scope of [listener, ""]) {
      const account = this.#accounts.get(scope)?.get(group);
      const held = account?.held.get(holder) ?? 0;
      if (account === undefined || held === 0) continue;
      this.#leave(account, holder, 1);
    }
  }

  /** All connections of a worker have ended. */
  drop(holder: number): void {
    for (const accounts of this.#accounts.values())
      for (const account of accounts.values()) this.#leave(account, holder, account.held.get(holder) ?? 0);
  }

  #leave(account: Account, holder: number, count: number): void {
    const left = (account.held.get(holder) ?? 0) - count;
    if (left > 0) account.held.set(holder, left);
    else account.held.delete(holder);
    account.open -= count;
  }

  /** Refuses all connections of a group for so long. Its open connections go on. */
  ban(group: string, ms: number): void {
    const until = clock.now() + ms;
    if (until > (this.#bans.get(group) ?? 0)) this.#bans.set(group, until);
    if (this.#bans.size > MAX_GROUPS) this.#bans.delete(this.#bans.keys().next().value as string);
  }

  /** @returns whether it was banned */
  unban(group: string): boolean {
    return this.#bannedFor(group, clock.now()) > 0 && this.#bans.delete(group);
  }

  /** Banned groups, with the milliseconds that are left. */
  bans(): AddressBan[] {
    const now = clock.now();
    for (const group of [...this.#bans.keys()]) this.#bannedFor(group, now);
    return [...this.#bans].map(([address, until]) => ({ address, ms: until - now }));
  }

  #bannedFor(group: string, now: number): number {
    const until = this.#bans.get(group);
    if (until === undefined) return 0;
    if (until > now) return until - now;
    this.#bans.delete(group);
    return 0;
  }

  // -- changed limits -------------------------------------------------------------------------------------

  /**
   * The limits of a scope have changed. A new rate begins with all of its burst.
   * @param before its limits until now
   */
  limitsChanged(scope: string, before: AddressLimits | undefined): void {
    const limits = this.#limits(scope);
    if (limits === undefined) this.#accounts.delete(scope);
    const { rate } = limits ?? {};
    if (
      rate === undefined ||
      (rate.perSecond === before?.rate?.perSecond && rate.burst === before.rate.burst)
    )
      return;
    const now = clock.now();
    for (const account of this.#accounts.get(scope)?.values() ?? []) {
      account.tokens = rate.burst;
      account.filledAt = now;
    }
  }

  /** Replaces what is known of a worker's connections: some are older than the limits on addresses. */
  recount(holder: number, held: readonly HeldAddress[]): void {
    this.drop(holder);
    for (const [listener, group, count] of held) this.hold(holder, listener, group, count);
  }

  // -- accounts -------------------------------------------------------------------------------------------

  /** Accounts that are kept. */
  get size(): number {
    let size = 0;
    for (const accounts of this.#accounts.values()) size += accounts.size;
    return size;
  }

  /** With its tokens of now. */
  #account(scope: string, group: string, now: number): Account {
    const accounts = this.#scope(scope);
    const { rate } = this.#limits(scope) as AddressLimits;
    let account = accounts.get(group);
    if (account === undefined) {
      if (accounts.size >= (accounts.sweepAt ?? MAX_GROUPS)) this.#sweep(scope, accounts, now);
      account = { held: new Map(), open: 0, tokens: rate?.burst ?? 0, filledAt: now };
      accounts.set(group, account);
    }
    account.tokens = tokensOf(account, rate, now);
    account.filledAt = now;
    return account;
  }

  #scope(scope: string): Accounts {
    const known = this.#accounts.get(scope);
    if (known) return known;
    const accounts: Accounts = new Map<string, Account>();
    this.#accounts.set(scope, accounts);
    return accounts;
  }

  /** Forgets groups without connections: those whose tokens are full first, then the oldest. */
  #sweep(scope: string, accounts: Accounts, now: number): void {
    const { rate } = this.#limits(scope) as AddressLimits;
    const full = rate?.burst ?? 0;
    for (const [group, one] of accounts)
      if (one.open === 0 && tokensOf(one, rate, now) >= full) accounts.delete(group);
    for (const [group, one] of accounts) {
      if (accounts.size < MAX_GROUPS - SWEEP_EVERY) break;
      if (one.open === 0) accounts.delete(group);
    }
    // With as many connected clients it finds few.
    accounts.sweepAt = Math.max(MAX_GROUPS, accounts.size + SWEEP_EVERY);
  }
}

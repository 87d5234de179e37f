/**
 * Names: one process holds a name, over all workers, and any process asks it. The newest claim wins.
 *
 *   names.ask ─▶ uplink ─▶ hub ─▶ holder: request cell ─▶ request.reply ─▶ hub ─▶ the promise
 */
import { type Pid, pidFrom } from "../otp/process/pid.js";
import { type Duration, toMs } from "../otp/time/duration.js";
import { type Answers, markSource, type Portable, type RequestSource } from "../tcp/protocol/sources.js";
import { ClaimError } from "./ask-error.js";
import type { Granted } from "./hub/name-row.js";
import { ownProcess, pidOf } from "./local/own-process.js";
import { localAsks, localNames, uplink } from "./local/present.js";
import { Message } from "./message.js";
import { checkName, familyName } from "./name.js";
import type { Request } from "./request.js";

const ASK_WITHIN = 5_000;
const CLAIM_WITHIN = 30_000;

/** A claim that was granted. */
export interface Claim {
  /**
   * Grows with every claim of every name. For a store that must not be written by an older holder: it keeps the highest
   * token that it has seen, and refuses a lower one.
   */
  readonly token: number;
  /** The previous holder: none, ended, or not heard of within 1 s because its worker is blocked. */
  readonly previous: "none" | "ended" | "unknown";
}

export interface ClaimOptions {
  /**
   * What happens where the name is held: `"replace"` ends the holder, `"refuse"` rejects the claim with a ClaimError, code
   * `taken`. Default `"replace"`.
   */
  readonly taken?: "replace" | "refuse";
  /** Default 30 s. */
  readonly within?: Duration;
}

/** A family of names: `devices.claim(conn, "42")` claims `device/42`. */
export interface Names<C extends Portable, A extends Portable> extends RequestSource<Request<C, A>> {
  readonly family: string;
  /**
   * Claims a name for a process of this worker, until it releases it or ends. Another holder ends as `replaced`, or runs
   * its `replaced` cell; a process that is not a connection gets the exit signal `{ shutdown: { replaced: "device/42" } }`.
   * @throws RangeError when it holds 16 names already, or the worker 1,000,000. Rejects with ClaimError: `taken`, `timeout`, `ended`
   */
  claim(process: Answers<Request<C, A>> | Pid, name: string, options?: ClaimOptions): Promise<Claim>;
  release(process: Answers<Request<C, A>> | Pid, name: string): void;
  /**
   * Asks the holder of a name, in whichever worker it is. Sent once, never repeated.
   * @param options `within`: default 5 s; `from`: what the holder gets as `request.from`, a process of this server
   * @throws TypeError, RangeError as `send` of a group. Rejects with AskError
   */
  ask(name: string, body: C, options?: { readonly within?: Duration; readonly from?: Pid }): Promise<A>;
  /** As `ask` without an answer; has no effect where no process holds the name. */
  send(name: string, body: C): void;
  /** Rejects when the exchange does not answer within 5 s. */
  whereis(name: string): Promise<{ readonly pid: Pid; readonly token: number } | undefined>;
}

class NameFamily<C extends Portable, A extends Portable> implements Names<C, A> {
  readonly family: string;

  constructor(family: string) {
    this.family = family;
    markSource(this);
  }

  #full(name: string): string {
    return checkName("name", familyName(this.family, checkName("name", name)));
  }

  async claim(
    holder: Answers<Request<C, A>> | Pid,
    name: string,
    { taken = "replace", within = CLAIM_WITHIN }: ClaimOptions = {},
  ): Promise<Granted> {
    if (taken !== "replace" && taken !== "refuse")
      throw new TypeError(`taken must be "replace" or "refuse", got ${JSON.stringify(taken)}`);
    const pid = pidOf(holder);
    const process = ownProcess(pid, "claim");
    if (!process) throw new ClaimError("ended", `${pid} has ended`);
    return localNames.claim(process, this.#full(name), taken === "refuse", toMs(within));
  }

  release(holder: Answers<Request<C, A>> | Pid, name: string): void {
    const process = ownProcess(pidOf(holder), "release");
    if (process) localNames.release(process, this.#full(name));
  }

  async ask(
    name: string,
    body: C,
    { within = ASK_WITHIN, from }: { readonly within?: Duration; readonly from?: Pid } = {},
  ): Promise<A> {
    return (await askName(this.#full(name), body, toMs(within), from)) as A;
  }

  send(name: string, body: C): void {
    uplink.ask(0, this.#full(name), Message.of(body), 0, [0, 0]);
  }

  async whereis(name: string): Promise<{ readonly pid: Pid; readonly token: number } | undefined> {
    const row = await uplink.query({ ask: "whereis", name: this.#full(name) });
    return row ? { pid: pidFrom(row.pid), token: row.token } : undefined;
  }
}

/** Asks by the full name, such as `device/42`. @internal */
export function askName(name: string, body: Portable, within: number, from?: Pid): Promise<unknown> {
  const message = Message.of(body);
  if (from?.node !== undefined)
    throw new TypeError(
      `from must be a process of this server, got ${from}: leave it out, or put it into the message`,
    );
  const pair = [from?.worker ?? 0, from?.serial ?? 0] as const;
  return localAsks.ask(name, within, (id) => uplink.ask(id, name, message, within, pair));
}

/**
 * A family of names. List it under `answers` in the protocol whose connections claim them.
 * @throws TypeError, RangeError when the name of the family is not 1 to 255 bytes of UTF-8 without control characters
 */
export function names<C extends Portable, A extends Portable = never>(family: string): Names<C, A> {
  return new NameFamily(checkName("family of names", family));
}

/**
 * Request to the process that holds a name, in its OS process: answered at most once. When the process ends first, the
 * asker is told so.
 */
import { type Pid, pidFrom } from "../otp/process/pid.js";
import type { Portable } from "../tcp/protocol/sources.js";
import { AskError } from "./ask-error.js";
import type { AskCode } from "./hub/ask-table.js";
import type { PidPair } from "./hub/hub.js";
import { Message } from "./message.js";

/**
 * A request to a name, as the `request` cell of its holder gets it. It may be kept, and answered later: it is never
 * answered twice.
 */
export interface Request<C, A> {
  /** What was asked. It comes from outside, `drover ask` for one: its type is what you say, not what was checked. */
  readonly body: C;
  /** The process that asks; `undefined` where the asker is not a process, such as `drover ask`. */
  readonly from: Pid | undefined;
  /**
   * Whether the asker still waits. False once it is answered or refused, and when its time (`within`) is over; always
   * false for `names.send`, which expects no answer.
   */
  readonly open: boolean;
  /**
   * Aborted when the asker has given up: the time of the ask is over, or the holder has ended. Hand it to `fetch` or a
   * query that is made for the answer. Not aborted by `reply` and `fail`.
   */
  readonly signal: AbortSignal;
  /** Answers. Only the first answer counts, and none after the time of the ask. @throws TypeError, RangeError as `send` */
  reply(answer: A): void;
  /** Refuses: the asker gets an `AskError` with code `refused` and this text (`drover ask` prints it and exits with 65). */
  fail(why: string): void;
}

/** Takes the answer of a request. */
export type Answering = (code: AskCode, body: Message | string) => void;

export class ReceivedRequest implements Request<unknown, Portable> {
  readonly body: unknown;
  readonly from: Pid | undefined;
  readonly #wanted: boolean;
  #answer: Answering | undefined;
  #abort: AbortController | undefined = undefined;
  #givenUp: AskError | undefined = undefined;

  /** @param wanted whether the asker expects an answer */
  constructor(body: unknown, from: PidPair, wanted: boolean, answer: Answering) {
    this.body = body;
    this.from = from[1] === 0 ? undefined : pidFrom(from);
    this.#wanted = wanted;
    this.#answer = answer;
  }

  get open(): boolean {
    return this.#wanted && this.#answer !== undefined;
  }

  /** Made when it is asked for first: most protocols do not. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#givenUp) this.#abort.abort(this.#givenUp);
    }
    return this.#abort.signal;
  }

  reply(answer: Portable): void {
    this.end("answer", Message.of(answer));
  }

  fail(why: string): void {
    this.end("refused", String(why).slice(0, 1_000));
  }

  /** No answer counts any more. @internal */
  giveUp(code: "timeout" | "ended", why: string): void {
    if (!this.#answer) return;
    this.end(code, why);
    this.#givenUp = new AskError(code, why);
    this.#abort?.abort(this.#givenUp);
  }

  /** @internal */
  end(code: AskCode, body: Message | string): void {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(code, body);
  }
}

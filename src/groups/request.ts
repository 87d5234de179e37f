/**
 * Request to the process that holds a name, in its OS process: answered at most once. When the process ends first, the
 * asker is told so.
 */
import { type Pid, pidFrom } from "../otp/process/pid.js";
import type { Portable } from "../tcp/protocol/sources.js";
import type { AskCode } from "./ask-table.js";
import type { PidPair } from "./hub.js";
import { Message } from "./message.js";

/** A request, as the `request` cell gets it. */
export interface Request<C, A> {
  readonly body: C;
  /** The process that asks; `undefined` when it is none, such as `drover ask`. */
  readonly from: Pid | undefined;
  /** Answers. Only the first answer counts, and none after the time of the ask. @throws TypeError, RangeError as `send` */
  reply(answer: A): void;
  /** Refuses: the asker gets an `AskError` with code `refused` and this text. */
  fail(why: string): void;
}

/** Takes the answer of a request. */
export type Answering = (code: AskCode, body: Message | string) => void;

export class ReceivedRequest implements Request<unknown, Portable> {
  readonly body: unknown;
  readonly from: Pid | undefined;
  #answer: Answering | undefined;

  constructor(body: unknown, from: PidPair, answer: Answering) {
    this.body = body;
    this.from = from[1] === 0 ? undefined : pidFrom(from);
    this.#answer = answer;
  }

  reply(answer: Portable): void {
    this.end("answer", Message.of(answer));
  }

  fail(why: string): void {
    this.end("refused", String(why).slice(0, 1_000));
  }

  /** @internal */
  end(code: AskCode, body: Message | string): void {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(code, body);
  }
}

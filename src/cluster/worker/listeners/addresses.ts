/**
 * Limits on client addresses in a worker: the primary decides, because the kernel spreads the clients of one address
 * over all workers. Questions of one turn of the event loop are one message.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { AddressAuthority, AddressRefusal } from "../../../tcp/admission/terms.js";
import type { AddressAnswer, AddressCalls, ToPrimary } from "../../channel/messages.js";

/** Milliseconds after which a client is admitted without an answer: a stopped primary delays no client for longer. */
const PATIENCE = 1_000;

type Done = (refusal: AddressRefusal | undefined) => void;

interface Question {
  readonly listener: string;
  readonly group: string;
  /** `undefined` once it was admitted without an answer. */
  done: Done | undefined;
  readonly timer: TimerRef;
}

/** Connections of one group that were admitted without an answer. */
interface Unanswered {
  /** Whose answer has not come. */
  waiting: number;
  /** Whose answer was no, and which the primary does not count. */
  refused: number;
  /** Connections of the group that have ended meanwhile. */
  ended: number;
}

const keyOf = (listener: string, group: string): string => `${listener} ${group}`;

export class WorkerAddresses implements AddressAuthority {
  readonly #post: (message: ToPrimary) => void;
  readonly #questions = new Map<number, Question>();
  /** By listener and group: connections that were admitted without an answer. */
  readonly #unanswered = new Map<string, Unanswered>();
  #lastId = 0;
  #take: AddressCalls["take"][number][] = [];
  #give: AddressCalls["give"][number][] = [];
  #scheduled = false;

  constructor(post: (message: ToPrimary) => void) {
    this.#post = post;
  }

  take(listener: string, group: string, done: Done): void {
    const id = ++this.#lastId;
    const timer = clock.setTimeout(() => this.#admit(id), PATIENCE);
    this.#questions.set(id, { listener, group, done, timer });
    this.#take.push([id, listener, group]);
    this.#schedule();
  }

  give(listener: string, group: string): void {
    const unanswered = this.#unanswered.get(keyOf(listener, group));
    if (unanswered) {
      unanswered.ended++;
      this.#settle(listener, group, unanswered);
    } else this.#giveBack(listener, group, 1);
  }

  #giveBack(listener: string, group: string, count: number): void {
    if (count === 0) return;
    for (let n = 0; n < count; n++) this.#give.push([listener, group]);
    this.#schedule();
  }

  /** With all answers there, what has ended is given back, but for connections that the primary has refused. */
  #settle(listener: string, group: string, unanswered: Unanswered): void {
    if (unanswered.waiting > 0) return;
    const uncounted = Math.min(unanswered.ended, unanswered.refused);
    this.#giveBack(listener, group, unanswered.ended - uncounted);
    unanswered.refused -= uncounted;
    unanswered.ended = 0;
    if (unanswered.refused === 0) this.#unanswered.delete(keyOf(listener, group));
  }

  #admit(id: number): void {
    const question = this.#questions.get(id);
    if (!question?.done) return;
    const { done, listener, group } = question;
    question.done = undefined;
    const key = keyOf(listener, group);
    const unanswered = this.#unanswered.get(key) ?? { waiting: 0, refused: 0, ended: 0 };
    unanswered.waiting++;
    this.#unanswered.set(key, unanswered);
    done(undefined);
  }

  /** The primary has answered. */
  received(answers: readonly AddressAnswer[]): void {
    for (const [id, refusal] of answers) {
      const question = this.#questions.get(id);
      if (!question) continue;
      this.#questions.delete(id);
      clock.clearTimeout(question.timer);
      if (question.done) question.done(refusal);
      else this.#answeredLate(question, refusal !== undefined);
    }
  }

  #answeredLate({ listener, group }: Question, refused: boolean): void {
    const unanswered = this.#unanswered.get(keyOf(listener, group)) as Unanswered;
    unanswered.waiting--;
    if (refused) unanswered.refused++;
    this.#settle(listener, group, unanswered);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const [take, give] = [this.#take, this.#give];
      [this.#take, this.#give] = [[], []];
      this.#post({ t: "addresses", d: { take, give } });
    });
  }
}

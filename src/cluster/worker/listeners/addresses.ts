/**
 * Limits on client addresses in a worker: the primary decides, because the kernel spreads the clients of one address
 * over all workers. Questions of one turn of the event loop are one message.
 */
import { clock, type TimerRef } from "../../../otp/time/clock.js";
import type { AddressAuthority, AddressRefusal, HeldAddress } from "../../../tcp/admission/terms.js";
import type { AddressAnswer, AddressCalls, ToPrimary } from "../../channel/messages.js";

/** Milliseconds after which a client is admitted without an answer: a stopped primary delays no client for longer. */
const PATIENCE = 1_000;

type Done = (refusal: AddressRefusal | undefined) => void;

interface Question {
  readonly listener: string;
  readonly group: string;
  /** `undefined` once it was admitted without an answer. */
  done: Done | undefined;
  /** Whether the primary counts it already, whatever its answer. */
  counted: boolean;
  readonly timer: TimerRef;
}

/** Connections of one group that were admitted without an answer. */
interface Unanswered {
  /** Whose answer has not come. */
  waiting: number;
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
  #over: AddressCalls["over"][number][] = [];
  #scheduled = false;

  constructor(post: (message: ToPrimary) => void) {
    this.#post = post;
  }

  take(listener: string, group: string, done: Done): void {
    const id = ++this.#lastId;
    // After an event loop that was blocked, or had no CPU time, timers come before what has arrived meanwhile.
    const timer = clock.setTimeout(() => setImmediate(() => this.#admit(id)), PATIENCE);
    this.#questions.set(id, { listener, group, done, counted: false, timer });
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

  /** With all answers there, what has ended is given back. */
  #settle(listener: string, group: string, { waiting, ended }: Unanswered): void {
    if (waiting > 0) return;
    this.#giveBack(listener, group, ended);
    this.#unanswered.delete(keyOf(listener, group));
  }

  #admit(id: number): void {
    const question = this.#questions.get(id);
    if (!question?.done) return;
    const { done, listener, group, counted } = question;
    question.done = undefined;
    if (counted) {
      this.#questions.delete(id);
      return done(undefined);
    }
    const key = keyOf(listener, group);
    const unanswered = this.#unanswered.get(key) ?? { waiting: 0, ended: 0 };
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
      if (question.counted && refusal !== undefined) this.#giveBack(question.listener, question.group, 1);
      if (question.done) question.done(refusal);
      else this.#answeredLate(question, refusal !== undefined);
    }
  }

  #answeredLate({ listener, group }: Question, refused: boolean): void {
    const unanswered = this.#unanswered.get(keyOf(listener, group)) as Unanswered;
    unanswered.waiting--;
    // One that is open counts all the same: its address gets no other before it is below the limit.
    if (refused && unanswered.ended === 0) {
      this.#over.push([listener, group]);
      this.#schedule();
    } else if (refused) unanswered.ended--;
    this.#settle(listener, group, unanswered);
  }

  /**
   * Has the primary count all connections anew, because it has not counted those from before the limits. What it was
   * asked before this message it has answered when it reads it, so a client that waits for its answer is counted here.
   * @param open groups of the open connections of each listener
   */
  recount(open: ReadonlyMap<string, readonly string[]>): void {
    this.#flush();
    const held = new Map<string, HeldAddress>();
    const count = (listener: string, group: string) => {
      const key = keyOf(listener, group);
      held.set(key, [listener, group, (held.get(key)?.[2] ?? 0) + 1]);
    };
    for (const [listener, groups] of open) for (const group of groups) count(listener, group);
    this.#unanswered.clear();
    for (const [id, question] of this.#questions) {
      // Admitted without an answer: it is open, or has ended.
      if (!question.done) this.#questions.delete(id);
      else {
        question.counted = true;
        count(question.listener, question.group);
      }
    }
    this.#post({ t: "addresses", d: { take: [], give: [], over: [], held: [...held.values()] } });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const [take, give, over] = [this.#take, this.#give, this.#over];
    if (take.length + give.length + over.length === 0) return;
    [this.#take, this.#give, this.#over] = [[], [], []];
    this.#post({ t: "addresses", d: { take, give, over } });
  }
}

/**
 * Limits on client addresses in a worker: the primary decides, because the kernel spreads the clients of one address
 * over all workers. Questions of one turn of the event loop are one message.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { AddressAuthority, AddressRefusal } from "../../tcp/admission/terms.js";
import type { AddressAnswer, AddressCalls, ToPrimary } from "../channel/messages.js";

/** Milliseconds after which a client is admitted without an answer: a primary that is stopped holds nobody up. */
const PATIENCE = 1_000;

type Done = (refusal: AddressRefusal | undefined) => void;

interface Question {
  readonly listener: string;
  readonly group: string;
  /** `undefined` once it was admitted without an answer. */
  done: Done | undefined;
  readonly timer: TimerRef;
}

export class WorkerAddresses implements AddressAuthority {
  readonly #post: (message: ToPrimary) => void;
  readonly #questions = new Map<number, Question>();
  /** Connections that the primary refused after they were admitted: it does not count them. */
  readonly #uncounted = new Map<string, number>();
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
    const key = `${listener} ${group}`;
    const uncounted = this.#uncounted.get(key) ?? 0;
    if (uncounted > 1) this.#uncounted.set(key, uncounted - 1);
    else if (uncounted === 1) this.#uncounted.delete(key);
    else {
      this.#give.push([listener, group]);
      this.#schedule();
    }
  }

  #admit(id: number): void {
    const question = this.#questions.get(id);
    const done = question?.done;
    if (question) question.done = undefined;
    done?.(undefined);
  }

  /** The primary has answered. */
  received(answers: readonly AddressAnswer[]): void {
    for (const [id, refusal] of answers) {
      const question = this.#questions.get(id);
      if (!question) continue;
      this.#questions.delete(id);
      clock.clearTimeout(question.timer);
      if (question.done) question.done(refusal);
      else if (refusal) this.#count(`${question.listener} ${question.group}`);
    }
  }

  #count(key: string): void {
    this.#uncounted.set(key, (this.#uncounted.get(key) ?? 0) + 1);
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

/** Cache of an expensive answer, shared by all requests within a second. */
import { clock } from "../../otp/time/clock.js";

/** Milliseconds: any number of scrapes costs as much as one per second. */
const MAX_AGE = 1_000;

export class CachedAnswer<T> {
  readonly #render: () => Promise<T>;
  #answer: Promise<T> | undefined = undefined;
  #until = 0;

  constructor(render: () => Promise<T>) {
    this.#render = render;
  }

  get(): Promise<T> {
    if (this.#answer !== undefined && clock.now() < this.#until) return this.#answer;
    // While it is being made, all requests wait for this one.
    this.#until = Infinity;
    const answer = this.#render();
    this.#answer = answer;
    answer.then(
      () => {
        this.#until = clock.now() + MAX_AGE;
      },
      // A failure is not cached.
      () => {
        this.#answer = undefined;
      },
    );
    return answer;
  }
}

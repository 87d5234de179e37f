/**
 * Postponed frames of a connection: those that a state has put off, and those that come again after a change of state
 * and have not been handled yet. The client has sent them and waits for the server, so they count against the bound
 * below, hold up `ended`, and keep the client from being idle. Exists only while there are any.
 */
export class PostponedFrames {
  /** Their bytes; the first one is not counted. */
  bytes = 0;
  /** Of each frame, oldest first. */
  readonly #sizes: number[] = [];
  /** Bytes that the decoder had consumed after the last new frame. */
  #consumed: number;
  /** Size of the frame that came again and is being handled; `undefined` while a new frame is. */
  #recalled: number | undefined = undefined;

  constructor(consumed: number) {
    this.#consumed = consumed;
  }

  get count(): number {
    return this.#sizes.length;
  }

  /** The frame being handled is postponed. @param consumed bytes consumed by the decoder so far */
  add(consumed: number): void {
    const size = this.#recalled ?? consumed - this.#consumed;
    if (this.#recalled === undefined) this.#consumed = consumed;
    this.#recalled = undefined;
    this.#sizes.push(size);
    this.bytes += size;
  }

  /** The oldest frame comes again: it is being handled. */
  recall(): void {
    this.#recalled = this.#sizes.shift();
    this.bytes -= this.#recalled ?? 0;
  }

  /** The present frame is handled. @param consumed bytes consumed by the decoder so far */
  handled(consumed: number): void {
    if (this.#recalled === undefined) this.#consumed = consumed;
    this.#recalled = undefined;
  }
}

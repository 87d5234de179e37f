/** What a call handler of a server returns when the reply comes later, as `{noreply, State}` of gen_server. */

export class NoReply<R> {
  /** Only for the compiler: the type of the later reply. */
  declare readonly __later?: R;
  readonly kind = "noreply";
}

const NO_REPLY = Object.freeze(new NoReply<any>());

/**
 * No reply now: keep `self.from`, and call `self.replyTo(from, value)` later. The server handles other messages meanwhile;
 * the caller waits, up to the timeout of its call. The type of the later reply is that of `call`: `return noreply<Job>()`.
 */
export function noreply<R = never>(): NoReply<R> {
  return NO_REPLY;
}

/** What a caller gets of a handler's result. */
export type ReplyOf<T> = T extends NoReply<infer R> ? R : T;

/** Errors that are an answer to the request, not a failure of the server: they are not logged. */

import type { AskFailure } from "./groups.js";

/** `invalid`, `too_large`: never possible; `unknown`: no such thing; `conflict`: not possible now. */
export type RefusalKind = "invalid" | "too_large" | "unknown" | "conflict";

/** A request that is refused. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** An ask from outside has no answer. */
export class AskFailed extends Error {
  override readonly name = "AskFailed";
  readonly code: AskFailure;
  constructor(code: AskFailure, message: string) {
    super(message);
    this.code = code;
  }
}

/** The only worker that has the answer did not give it in time: it is blocked, stopped or has died. */
export class WorkerSilent extends Error {
  override readonly name = "WorkerSilent";
  readonly worker: number;
  constructor(worker: number) {
    super(`worker ${worker} does not answer`);
    this.worker = worker;
  }
}

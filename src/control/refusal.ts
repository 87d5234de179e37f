/** What cannot be done as it was asked: for whoever asked, not for the log. */

/** `invalid`: never; `unknown`: there is no such thing; `conflict`: not now. */
export type RefusalKind = "invalid" | "unknown" | "conflict";

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

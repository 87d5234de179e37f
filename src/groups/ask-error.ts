/** Why an ask has no answer, or a claim was not granted. */
import type { AskCode } from "./hub/ask-table.js";

/**
 * An ask without an answer. `code` is `nobody` (no process holds the name), `busy` (its mailbox is full) or `refused`
 * (`request.fail`): surely not handled; or `timeout`, `ended` (the process ended) or `unreachable` (the exchange was
 * lost): it may have been handled.
 */
export class AskError extends Error {
  override readonly name = "AskError";
  readonly code: Exclude<AskCode, "answer">;
  constructor(code: Exclude<AskCode, "answer">, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * A claim that was not granted. `code` is `taken` (only with `{ taken: "refuse" }`), `timeout`, or `ended` (the
 * connection that claims has ended); the message is such as `the name nick/ada is taken`.
 */
export class ClaimError extends Error {
  override readonly name = "ClaimError";
  readonly code: "taken" | "timeout" | "ended";
  constructor(code: ClaimError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

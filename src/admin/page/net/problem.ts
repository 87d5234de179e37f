/** Why the server did not do what it was asked, in words for people. */

export interface Problem {
  /** `gone`: no answer at all. `token`: 401. `locked`: 429. `missing`: 404. `refused`: anything else. */
  readonly kind: "gone" | "token" | "locked" | "missing" | "refused";
  /** From the server or about it: text, never markup. */
  readonly message: string;
}

export const GONE: Problem = { kind: "gone", message: "The server does not answer." };

/** @param hadToken whether one was sent */
export function problemOf(status: number, error: string, hadToken: boolean, retryAfter: number): Problem {
  switch (status) {
    case 401:
      return {
        kind: "token",
        message: hadToken
          ? "The server does not know this token: it has another one since it was started again."
          : "This needs the token of the server.",
      };
    case 429: {
      const wait = retryAfter > 0 ? `${retryAfter} seconds` : "a minute";
      return {
        kind: "locked",
        message: `Too many wrong tokens came from this address. Try again in ${wait}.`,
      };
    }
    case 404:
      return { kind: "missing", message: error || "There is no such process: it has ended." };
    case 403:
      return { kind: "refused", message: `The server refuses: ${error || "not allowed from here"}.` };
    case 503:
      return { kind: "refused", message: error || "The server is too busy for this now." };
    default:
      return { kind: "refused", message: error || `The server answered ${status}.` };
  }
}

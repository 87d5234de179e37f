/** Messages for failed requests. */

export interface Problem {
  /** `gone`: no response. `token`: 401. `locked`: 429. `missing`: 404. `refused`: any other status. */
  readonly kind: "gone" | "token" | "locked" | "missing" | "refused";
  /** Plain text; may come from the server. */
  readonly message: string;
}

export const GONE: Problem = { kind: "gone", message: "The server does not respond." };

/** @param hadToken whether the request had a token */
export function problemOf(status: number, error: string, hadToken: boolean, retryAfter: number): Problem {
  switch (status) {
    case 401:
      return {
        kind: "token",
        message: hadToken
          ? "Wrong token: the server has a new one since its last start."
          : "This needs the admin token.",
      };
    case 429: {
      const wait = retryAfter > 0 ? `${retryAfter} seconds` : "a minute";
      return {
        kind: "locked",
        message: `Too many wrong tokens from this address. Enter the right one, or try again in ${wait}.`,
      };
    }
    case 404:
      return { kind: "missing", message: error || "No such process: it has ended." };
    case 403:
      return {
        kind: "refused",
        message: `The server refused the request: ${error || "not allowed from this address"}.`,
      };
    case 503:
      return { kind: "refused", message: error || "The server is too busy. Try again." };
    default:
      return { kind: "refused", message: error || `The server responded with status ${status}.` };
  }
}

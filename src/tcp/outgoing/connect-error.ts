/** Error of an outgoing connection that could not be opened. */
import { ProcessExit } from "../../otp/process/exit-reason.js";

/**
 * Values of the label `result` of drover_outgoing_connects_total: a closed list. `other` is any other error of the
 * system.
 */
export const CONNECT_RESULTS = [
  "open",
  "connect_timeout",
  "econnrefused",
  "econnreset",
  "ehostunreach",
  "enetunreach",
  "etimedout",
  "enotfound",
  "eai_again",
  "enoent",
  "eacces",
  "emfile",
  "tls_error",
  "tls_refused",
  "cancelled",
  "other",
] as const;
export type ConnectResult = (typeof CONNECT_RESULTS)[number];

/** Rejection of `connect`, and reason of a failed start. */
export class ConnectError extends ProcessExit {
  /**
   * `econnrefused` and other errors of the system in lower case; `connect_timeout`; `tls_error`: the handshake failed;
   * `tls_refused`: the server's certificate is not trusted, or not for its name; `cancelled`.
   */
  readonly code: string;

  constructor(code: string, message: string) {
    super({ connect: code }, message);
    this.code = code;
  }

  /** The label under which it is counted. */
  get result(): ConnectResult {
    return CONNECT_RESULTS.includes(this.code as ConnectResult) ? (this.code as ConnectResult) : "other";
  }
}

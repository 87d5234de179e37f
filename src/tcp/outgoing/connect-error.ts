/** Error of an outgoing connection that could not be opened. */
import { ProcessExit } from "../../otp/process/exit-reason.js";
import { CONNECT_RESULTS, type ConnectResult } from "../observe/events.js";

/** Rejection of `connect`, and reason of a failed start. */
export class ConnectError extends ProcessExit {
  override readonly name = "ConnectError";
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

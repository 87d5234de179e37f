// Socket errors: their kind for the counts, and a message with what to do.
import type { ErrorKind } from "../../both-sides/result.js";

const ADVICE: Record<string, string> = {
  ECONNREFUSED: "nothing listens on this port: is the server running?",
  EMFILE: "open-file limit of this process reached: raise `ulimit -n`",
  ENFILE: "open-file limit of this machine reached: raise fs.file-max",
  EADDRNOTAVAIL:
    "no local port left: type --source 127.0.0.0/8 if the server is on this machine, or use fewer connections",
  ENOTFOUND: "host name not found: check --host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "type --ca FILE with its certificate, or --insecure",
  SELF_SIGNED_CERT_IN_CHAIN: "type --ca FILE with the authority's certificate, or --insecure",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "type --ca FILE with the authority's certificate, or --insecure",
  EPROTO: "TLS handshake failed: the server does not use TLS on this port, or no common TLS version",
};

export function connectErrorKind(error: NodeJS.ErrnoException): ErrorKind {
  const { code } = withCode(error);
  if (code === "ECONNREFUSED") return "connectRefused";
  return code === "ETIMEDOUT" ? "connectTimedOut" : "connectFailed";
}

export function describeSocketError(error: NodeJS.ErrnoException): string {
  const { code = "", message } = withCode(error);
  const advice = ADVICE[code];
  return advice ? `${message} (${advice})` : message;
}

/** A host name with several addresses fails with one error that wraps one per address. */
function withCode(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}

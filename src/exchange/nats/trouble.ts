/** Errors of the NATS client in words, with what to do. By name and code: the classes belong to the user's copy of the client. */
import type { CarrierEvent } from "../nodes/carrier.js";

/** Codes of certificates that are not trusted. */
const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_UNTRUSTED|CERT_SIGNATURE|ERR_SSL_CERTIFICATE_VERIFY)/;

interface ClientError extends Error {
  readonly code?: string;
  readonly operation?: "publish" | "subscription";
  readonly subject?: string;
}

/**
 * @param url of the server
 * @param prefix of the cluster's subjects: `drover.prod`
 */
export function troubleEvent(given: unknown, url: string, prefix: string): CarrierEvent {
  const error = rootOf(given);
  const { name, message, code = "" } = error;
  const of = (level: CarrierEvent["level"], event: string, text: string): CarrierEvent => {
    return { level, event, text: `NATS ${url} ${text}` };
  };
  if (name === "PermissionViolationError") {
    const { operation, subject = "" } = error;
    // The inbox of a client that has asked from outside: each has another one.
    if (operation === "publish" && !subject.startsWith(`${prefix}.`))
      return of(
        "error",
        "nats_permission_denied",
        "denies answers to other NATS clients: set allow_responses for this user, or allow publish on _INBOX.>",
      );
    const what = operation === "subscription" ? "to subscribe to" : "to publish on";
    return of(
      "error",
      "nats_permission_denied",
      `denies ${what} ${subject}: allow publish and subscribe on ${prefix}.> for this user`,
    );
  }
  if (name === "AuthorizationError" || name === "UserAuthenticationExpiredError" || isAuth(message)) {
    const help = "check --nats-creds, or DROVER_NATS_USER and DROVER_NATS_PASSWORD, or DROVER_NATS_TOKEN";
    return of("error", "nats_auth_rejected", `rejects the credentials (${message}): ${help}`);
  }
  if (UNTRUSTED.test(code) || code === "CERT_HAS_EXPIRED")
    return of(
      "error",
      "nats_tls",
      `has a certificate that is not trusted (${lower(message)}): check --nats-ca`,
    );
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return of("error", "nats_tls", `has a certificate for another name: ${lower(message)}`);
  if (/certificate required|bad certificate|unknown ca/i.test(message))
    return of("error", "nats_tls", "asks for a client certificate: set --nats-cert and --nats-key");
  if (/does not support 'tls'/.test(message))
    return of("error", "nats_tls", "has no TLS: use nats:// and no --nats-ca, or set TLS up in NATS");
  if (/wrong version number|packet length too long/i.test(message) || /^ERR_SSL/.test(code))
    return of("error", "nats_tls", `fails in the TLS handshake: ${lower(message)}`);
  if (/unexpected response/.test(message))
    return of("error", "nats_unreachable", "does not speak NATS: check the port, 4222 by default");
  if (name === "RangeError")
    return of("error", "nats_too_large", `takes no message so large: ${message}; raise max_payload in NATS`);
  if (/maximum connections/i.test(message))
    return of("error", "nats_refused", "has no room for a further client: raise max_connections in NATS");
  return of("warn", "nats_unreachable", `cannot be reached: ${reasonOf(error)}`);
}

/** The link is lost: why, for people. */
export function reasonOf(given: unknown): string {
  const { name, message, code = "" } = rootOf(given);
  if (name === "TimeoutError" || /^timeout$/i.test(message)) return "no answer in time";
  return REASONS[code] ?? lower(message);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name not resolved",
  ETIMEDOUT: "connection timed out",
};

/** The client wraps errors of sockets and of TLS. */
function rootOf(given: unknown): ClientError {
  let error =
    given instanceof Error ? given : new Error(given === undefined ? "connection closed" : String(given));
  for (let depth = 0; depth < 4 && error.cause instanceof Error; depth++) error = error.cause;
  return error as ClientError;
}

function isAuth(message: string): boolean {
  return /authorization violation|authentication (timeout|expired|revoked)/i.test(message);
}

function lower(message: string): string {
  const line = message.split("\n")[0] as string;
  return /^[A-Z][a-z]/.test(line) ? line.charAt(0).toLowerCase() + line.slice(1) : line;
}

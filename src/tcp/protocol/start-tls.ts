/** The action by which a protocol begins TLS on a connection that began in clear (STARTTLS). */

/** @internal */
export class StartTls {
  readonly kind = "own";
  readonly name = "start_tls";
}

const START_TLS = Object.freeze(new StartTls());

/**
 * Begins TLS: `conn.send("220 go ahead"); return next("secure", startTls())`. The listener needs
 * `tls: { start: "by_protocol", … }`.
 *
 * What was sent before leaves in clear; what is sent from now on leaves encrypted. The state changes when the handshake
 * is done: `leave`, then `enter` of the next. Until then messages wait. A client that does not finish the handshake in
 * 5 s ends as `handshake_timeout`. Bytes that it has sent behind the command that begins TLS came in clear, perhaps
 * from an attacker between (CVE-2011-0411): they are never a frame, and end the connection as `tls_error`.
 *
 * A crash of the connection: a listener without TLS, TLS that has begun before, and postponed frames that wait.
 */
export function startTls(): StartTls {
  return START_TLS;
}

/**
 * URLs of NATS servers: `nats://host:4222`, or `tls://` where TLS is demanded. One with credentials is refused, and never
 * quoted: every user of the machine sees the command line in `ps`.
 */

/** Port of a URL that names none. */
const NATS_PORT = 4222;

export const NATS_CREDENTIALS =
  "use --nats-creds FILE, or DROVER_NATS_USER and DROVER_NATS_PASSWORD, or DROVER_NATS_TOKEN";

export interface NatsAddress {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Whether TLS is demanded. */
  readonly tls: boolean;
}

/** @returns `undefined`: it is none, or holds credentials, a path or a query */
export function natsAddress(text: string): NatsAddress | undefined {
  const [, scheme, host, port] = /^(nats|tls):\/\/([^\s/?#@]+?)(?::(\d+))?\/?$/.exec(text) ?? [];
  if (host === undefined) return undefined;
  try {
    // The parser checks host and port; "http" because it knows no host in other schemes.
    new URL(`http://${host}:${port ?? NATS_PORT}`);
  } catch {
    return undefined;
  }
  if (port !== undefined && Number(port) === 0) return undefined;
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port ?? NATS_PORT), tls: scheme === "tls" };
}

/** Whether one of the URLs holds a user, a password or a token. */
export function hasCredentials(given: unknown): boolean {
  const all = Array.isArray(given) ? given : [given];
  return all.some((one) => typeof one === "string" && /(^|[,/])[^\s,/?#]*@/.test(one));
}

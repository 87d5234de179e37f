/**
 * URLs of NATS servers: `nats://host:4222`, or `tls://` where TLS is demanded. One with credentials is refused, and never
 * quoted: every user of the machine sees the command line in `ps`.
 */

/** Port of a URL that names none. */
const NATS_PORT = 4222;

export const NATS_CREDENTIALS =
  "use --nats-creds FILE, or DROVER_NATS_USER and DROVER_NATS_PASSWORD, or DROVER_NATS_TOKEN";

export interface NatsAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** @returns `undefined`: it is none, or holds credentials, a path or a query */
export function natsAddress(text: string): NatsAddress | undefined {
  if (!/^(nats|tls):\/\/[^\s/?#@]+\/?$/.test(text)) return undefined;
  // As a special scheme, for which the parser checks host and port.
  const url = parsed(text.replace(/^\w+/, "http"));
  if (!url || url.port === "0") return undefined;
  const named = /:(\d+)\/?$/.exec(text);
  const port = url.port !== "" ? Number(url.port) : named ? 80 : NATS_PORT;
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, tls: text.startsWith("tls:") };
}

/** Whether one of the URLs holds a user, a password or a token. */
export function hasCredentials(given: unknown): boolean {
  const all = Array.isArray(given) ? given : [given];
  return all.some((one) => typeof one === "string" && /(^|[,/])[^\s,/?#]*@/.test(one));
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

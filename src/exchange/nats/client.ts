/** The NATS client: loaded from where its package was found, with the options that keep it from acting on its own. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type {
  Authenticator,
  ConnectionOptions,
  Msg,
  MsgHdrs,
  NatsConnection,
  TlsOptions,
} from "@nats-io/transport-node";
import { addressText } from "../../text/address.js";
import { type NatsAddress, natsAddress } from "../../text/nats-url.js";
import type { NatsOptions } from "../nodes/options.js";
import { type AttemptTimes, type Connected, connectAlone } from "./attempt-sockets.js";

export type { Msg, NatsConnection };

/** A message of a client that is no drover. */
export interface OutsideMessage {
  readonly subject: string;
  readonly data: Buffer;
  /** A header of it; `undefined`: it has none. */
  header(name: string): string | undefined;
  /** Without effect where no reply is expected. */
  reply(content: string | Uint8Array): void;
  /** @param code a status as of HTTP */
  fail(code: number, text: string): void;
}

/** What is used of the package. */
export interface NatsClient {
  headers(): MsgHdrs;
  connect(options: ConnectionOptions): Promise<NatsConnection>;
  credsAuthenticator(creds: Uint8Array): Authenticator;
}

/** @param path main file of the package. Rejects when it cannot be loaded. */
export async function loadClient(path: string): Promise<NatsClient> {
  const loaded = await import(pathToFileURL(path).href);
  return loaded.connect ? loaded : loaded.default;
}

/** Milliseconds, longer than any process runs: the client's own pings would notice a silent server after 6 minutes. */
const NEVER = 2 ** 31 - 1;

/**
 * Connects once, to one server.
 * @param name shown by the NATS server for this connection
 * @param times for each address of its host
 */
export function connectOnce(
  client: NatsClient,
  nats: NatsOptions,
  url: string,
  name: string,
  times: AttemptTimes,
): Promise<Connected<NatsConnection>> {
  // The configuration has checked it.
  const address = natsAddress(url) as NatsAddress;
  const timeout = times.accept + times.answer;
  return connectAlone(address.port, times, async () =>
    client.connect({
      servers: [addressText(address.host, address.port)],
      ...{ name, timeout, tls: tlsOptions(nats, address), ...credentials(client, nats) },
      ...{ reconnect: false, ignoreClusterUpdates: true, noRandomize: true },
      ...{ pingInterval: NEVER, noEcho: true, noAsyncTraces: true },
    } as ConnectionOptions),
  );
}

/** A message as the client gives it. Errors are told as NATS services tell them. */
export function outsideMessage({ headers }: NatsClient, message: Msg): OutsideMessage {
  const { subject, data } = message;
  return {
    subject,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    header: (name) => (message.headers?.has(name) ? message.headers.get(name) : undefined),
    reply: (content) => void message.respond(content),
    fail: (code, text) => {
      const failed = headers();
      failed.set("Nats-Service-Error-Code", `${code}`);
      failed.set("Nats-Service-Error", text.replace(/[\r\n]+/g, " "));
      message.respond("", { headers: failed });
    },
  };
}

/** The credentials file is read each time: it may have been renewed. */
function credentials(
  client: NatsClient,
  { creds, user, password, token }: NatsOptions,
): Partial<ConnectionOptions> {
  if (creds !== undefined) return { authenticator: client.credsAuthenticator(readFileSync(creds)) };
  if (token !== undefined) return { token };
  return user === undefined ? {} : { user, pass: password as string };
}

/** TLS is demanded where the URL or one of the files says so; else the server decides. */
function tlsOptions(
  { ca, cert, key }: NatsOptions,
  { host, tls }: NatsAddress,
): (TlsOptions & { readonly host: string }) | undefined {
  if (!tls && ca === undefined && cert === undefined) return undefined;
  return {
    // For a server that is addressed by number; else its certificate would be compared with "localhost".
    host,
    ...(ca !== undefined && { caFile: ca }),
    ...(cert !== undefined && { certFile: cert }),
    ...(key !== undefined && { keyFile: key }),
  };
}

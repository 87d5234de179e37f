/** `serve`: the same supervision tree inside a program or test of the user, in this OS process. */

import { ProcessExit } from "../otp/process/exit-reason.js";
import { processOf } from "../otp/process/process.js";
import { whereis } from "../otp/process/registry.js";
import { stopSupervisor } from "../otp/supervisor/supervisor.js";
import { addressText } from "../text/address.js";
import { chooseTransport } from "../transport/choose-transport.js";
import { Endpoint } from "./endpoint.js";
import type { Listener } from "./listener.js";
import { CompiledProtocol } from "./protocol/compiled-protocol.js";
import type { AnyProtocol } from "./protocol/protocol.js";
import { validateProtocol } from "./protocol/validate.js";
import { type ServeOptions, validateServeOptions } from "./serve-options.js";
import { startServer } from "./server.js";

export type { ServeOptions } from "./serve-options.js";

export interface Serving {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** The counters of this server. */
  readonly counters: Endpoint["counters"];
  /** Stops accepting, lets connections finish for the shutdown time, and resolves when all is closed. */
  stop(): Promise<void>;
}

let servers = 0;

/**
 * Serves a protocol in this OS process, supervised.
 * @throws TypeError when the protocol or an option has a mistake; NodeJS.ErrnoException (`EADDRINUSE`, …) when it cannot listen
 */
export async function serve(protocol: AnyProtocol, options: ServeOptions): Promise<Serving> {
  validateProtocol(protocol);
  validateServeOptions(options);
  const { port, host = "127.0.0.1", maxConnections = 10_000, backlog = 1024, shutdown = "2s" } = options;
  const endpoint = new Endpoint();
  const prefix = `${protocol.name}#${++servers}.`;
  // A restarted listener must bind the port that the clients know.
  let where = { host, port };
  const acquire = async () => where;
  const { transport } = await chooseTransport(options.transport ?? "auto");
  const settings = {
    prefix,
    endpoint,
    protocol: new CompiledProtocol(protocol),
    transport,
    acquire,
    renewable: false,
    maxConnections,
    backlog,
    shutdown,
  };
  const root = await startServer(settings).catch((error: unknown) => {
    throw listenError(error, host, port);
  });
  const { address } = processOf(
    whereis(`${prefix}listener`) as NonNullable<ReturnType<typeof whereis>>,
  ) as Listener;
  where = { host, port: address.port };
  return {
    host: address.address,
    port: address.port,
    address: addressText(address.address, address.port),
    counters: endpoint.counters,
    stop: () => stopSupervisor(root),
  };
}

/** The error that `net` would give, made from the reason for which the tree did not start. */
function listenError(error: unknown, host: string, port: number): unknown {
  const text = error instanceof ProcessExit ? JSON.stringify(error.reason) : "";
  const code = /"listen":"(\w+)"/.exec(text)?.[1];
  return code
    ? Object.assign(new Error(`listen ${code}: ${addressText(host, port)}`), { code, address: host, port })
    : error;
}

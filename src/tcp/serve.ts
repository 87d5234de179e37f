/** `serve`: the same supervision tree inside a program or test of the user, in this OS process. */

import { ProcessExit } from "../otp/process/exit-reason.js";
import { processOf } from "../otp/process/process.js";
import { whereis } from "../otp/process/registry.js";
import { stopSupervisor } from "../otp/supervisor/supervisor.js";
import { addressText } from "../text/address.js";
import { OwnTls } from "../tls/own-tls.js";
import { chooseTransport } from "../transport/choose-transport.js";
import type { ListenTarget, Transport } from "../transport/transport.js";
import { Endpoint } from "./endpoint.js";
import type { Listener } from "./listener.js";
import { openingTerms, startTlsOf } from "./opening/options.js";
import { CompiledProtocol } from "./protocol/compiled-protocol.js";
import type { AnyProtocol } from "./protocol/protocol.js";
import { validateProtocol } from "./protocol/validate.js";
import { type ServeOptions, targetOf, validateServeOptions } from "./serve-options.js";
import { startServer } from "./server.js";

export type { ServeOptions } from "./serve-options.js";

export interface Serving {
  /** IP address, or path of a UNIX socket. */
  readonly host: string;
  /** 0: a UNIX socket. */
  readonly port: number;
  /** `host:port`, or the path of a UNIX socket. */
  readonly address: string;
  /** The counters of this server. */
  readonly counters: Endpoint["counters"];
  /**
   * Reads the files of `tls` again: new handshakes use them, connections go on. A certificate and a key that do not fit
   * are tried again for 10 s. Without `tls` it does nothing.
   * @throws TlsError what is wrong, in one line; then the old ones stay
   */
  reloadTls(): Promise<void>;
  /** Stops accepting, lets connections finish for the shutdown time, and resolves when all is closed. */
  stop(): Promise<void>;
}

let servers = 0;

/**
 * Serves a protocol in this OS process, supervised.
 * @throws TypeError when the protocol or an option has a mistake; TlsError when a certificate or key cannot be served; NodeJS.ErrnoException (`EADDRINUSE`, …) when it cannot
 * listen: a UNIX socket also `ENAMETOOLONG`, `EEXIST` (a file in the way), `EINVAL` (unknown owner or group)
 */
export async function serve(protocol: AnyProtocol, options: ServeOptions): Promise<Serving> {
  validateProtocol(protocol);
  validateServeOptions(options);
  const { maxConnections = 10_000, backlog = 1024, shutdown = "2s" } = options;
  const prefix = `${protocol.name}#${++servers}.`;
  let target = targetOf(options);
  const acquire = async () => target;
  const { transport: chosen } = await chooseTransport(options.transport ?? "auto");
  const own = options.tls && new OwnTls("main", options.tls);
  const startTls = own && startTlsOf(() => chosen, own.tls);
  const endpoint = new Endpoint({ opening: openingTerms({ proxy: options.proxy, startTls }) });
  let refused: unknown;
  const transport = "path" in target ? noting(chosen, (error) => (refused = error)) : chosen;
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
    own?.stop();
    throw refused ?? listenError(error, target);
  });
  const { address } = processOf(
    whereis(`${prefix}listener`) as NonNullable<ReturnType<typeof whereis>>,
  ) as Listener;
  // A restarted listener must bind the port that the clients know.
  if ("host" in target) target = { ...target, port: address.port };
  return {
    host: address.address,
    port: address.port,
    address: addressText(address.address, address.port),
    counters: endpoint.counters,
    reloadTls: async () => own?.reload(),
    stop: () => {
      own?.stop();
      return stopSupervisor(root);
    },
  };
}

/** A supervisor passes on only the reason of a failed start: this keeps the error, which says what to do. */
function noting(transport: Transport, note: (error: unknown) => void): Transport {
  return {
    ...transport,
    listen: (target, options) =>
      transport.listen(target, options).catch((error: unknown) => {
        note(error);
        throw error;
      }),
  };
}

/** The error that `net` would give, made from the reason for which the tree did not start. */
function listenError(error: unknown, target: ListenTarget): unknown {
  if (!("host" in target)) return error;
  const { host, port } = target;
  const text = error instanceof ProcessExit ? JSON.stringify(error.reason) : "";
  const code = /"listen":"(\w+)"/.exec(text)?.[1];
  return code
    ? Object.assign(new Error(`listen ${code}: ${addressText(host, port)}`), { code, address: host, port })
    : error;
}

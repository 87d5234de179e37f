/** One listener of `serve`: from its options to a supervised server, and what is known of it once it listens. */
import { processOf } from "../otp/process/process.js";
import { whereis } from "../otp/process/registry.js";
import { toMs } from "../otp/time/duration.js";
import { addressText } from "../text/address.js";
import { OwnTls } from "../tls/own-tls.js";
import type { ListenTarget, Transport } from "../transport/transport.js";
import { AcceptRate } from "./admission/accept-rate.js";
import { AcceptRates } from "./admission/accept-rates.js";
import { LocalAuthority } from "./admission/local-authority.js";
import { addressLimitsOf, gateOf } from "./admission/options.js";
import { parseRate } from "./admission/rate.js";
import { Endpoint } from "./endpoint.js";
import type { Listener } from "./listener/listener.js";
import type { SharedMaximum } from "./listener/shared-maximum.js";
import { openingOf, startTlsOf } from "./opening/options.js";
import { CompiledProtocol } from "./protocol/compiled/compiled-protocol.js";
import type { InstanceOf, InstancesOf } from "./protocol/compiled/instances.js";
import { givenOptions } from "./protocol/options/options.js";
import type { AnyProtocol } from "./protocol/protocol.js";
import { type ServeOptions, targetOf } from "./serve-options.js";
import type { ServerOptions } from "./server.js";

/** A listener that serves. */
export interface ServingListener {
  /** IP address, or path of a UNIX socket. */
  readonly host: string;
  /** 0: a UNIX socket. */
  readonly port: number;
  /** `host:port`, or the path of a UNIX socket. */
  readonly address: string;
  /** The counters of this listener. */
  readonly counters: Endpoint["counters"];
  /**
   * Reads the files of `tls` again: new handshakes use them, connections go on. A certificate and a key that do not fit
   * are tried again for 10 s. Without `tls` it does nothing.
   * @throws TlsError what is wrong, in one line; then the old ones stay
   */
  reloadTls(): Promise<void>;
}

export interface ServedListenerOptions {
  /** Default: `main`. */
  readonly name: string | undefined;
  readonly protocol: AnyProtocol;
  readonly options: ServeOptions;
  /** Of its registered names. */
  readonly prefix: string;
  readonly transport: Transport;
}

/** `undefined`: addresses have no limits. */
function authorityOf({ maxPerAddress, addressRate, addressBan = 0 }: ServeOptions) {
  const ban = addressBan === Infinity ? Infinity : toMs(addressBan);
  const limits = addressLimitsOf({ maxPerAddress, addressRate, addressBan: ban });
  return limits && new LocalAuthority(limits);
}

/** Limits of all listeners together. */
export interface SharedLimits {
  readonly shared?: SharedMaximum | undefined;
  readonly rate?: AcceptRate | undefined;
}

/** Without a rate it has none. */
export function acceptRateOf({ acceptRate }: Pick<ServeOptions, "acceptRate">): AcceptRate {
  return new AcceptRate(acceptRate === undefined ? undefined : parseRate(acceptRate));
}

export class ServedListener {
  readonly endpoint: Endpoint;
  readonly #made: ServedListenerOptions;
  readonly #tls: OwnTls | undefined;
  #target: ListenTarget;
  #error: unknown;

  /** @throws TlsError when a certificate or key cannot be served */
  constructor(made: ServedListenerOptions) {
    const { name = "main", options, transport } = made;
    const { proxy, tls, alpn = {} } = options;
    this.#made = made;
    this.#tls = tls && new OwnTls(name, { alpn: Object.keys(alpn), ...tls });
    const startTls =
      this.#tls &&
      startTlsOf(
        () => transport,
        this.#tls.tls,
        () => this.endpoint.counters,
      );
    const gate = gateOf(name, options, authorityOf(options));
    this.endpoint = new Endpoint({ name, ...openingOf({ proxy, gate, startTls, tlsStart: tls?.start }) });
    this.#target = targetOf(options);
  }

  /** Its protocols, and the options that were given for them. */
  get served(): InstancesOf {
    const { protocol, name, options } = this.#made;
    const place = name === undefined ? "serve: options" : `serve: listener "${name}": options`;
    return {
      protocols: [protocol, ...Object.values(options.alpn ?? {})],
      given: givenOptions(options.options, place),
    };
  }

  /** @param limits of all listeners together */
  server(instanceOf: InstanceOf, { shared, rate }: SharedLimits = {}): ServerOptions {
    const { prefix, transport, options } = this.#made;
    const { alpn, maxConnections = 10_000, backlog = 1024, shutdown = "2s", idleTimeout } = options;
    const idle = typeof idleTimeout === "string" ? toMs(idleTimeout) : idleTimeout;
    const compiled = (one: AnyProtocol) => new CompiledProtocol(one, { idle, instanceOf });
    const protocol = compiled(this.#made.protocol);
    if (alpn) {
      const byName = Object.entries(alpn).map(([name, one]) => [name, compiled(one)] as const);
      this.endpoint.alpn = { byName: new Map(byName), fallback: protocol };
    }
    return {
      prefix,
      endpoint: this.endpoint,
      protocol,
      transport: this.#noting(transport),
      acquire: async () => this.#target,
      renewable: false,
      full: { mode: options.whenFull ?? "refuse", everywhere: true, changed: () => {} },
      rates: new AcceptRates(acceptRateOf(options), ...(rate ? [rate] : [])),
      ...{ maxConnections, shared, backlog, shutdown },
    };
  }

  /** A supervisor passes on only the reason of a failed start: this keeps the error, which says what to do. */
  #noting(transport: Transport): Transport {
    return {
      ...transport,
      listen: (target, options) =>
        transport.listen(target, options).catch((error: unknown) => {
          this.#error = error;
          throw error;
        }),
    };
  }

  /** Why it does not listen; `undefined` when it is not the one that failed. For TCP the error that `net` would give. */
  get error(): unknown {
    const { code } = (this.#error ?? {}) as NodeJS.ErrnoException;
    if (code === undefined || !("host" in this.#target)) return this.#error;
    const { host, port } = this.#target;
    const message = `listen ${code}: ${addressText(host, port)}`;
    return Object.assign(new Error(message), { code, address: host, port });
  }

  /** Called once it listens. */
  serving(): ServingListener {
    const pid = whereis(`${this.#made.prefix}listener`) as NonNullable<ReturnType<typeof whereis>>;
    const { address, port } = (processOf(pid) as Listener).address;
    // A restarted listener must bind the port that the clients know.
    if ("host" in this.#target) this.#target = { ...this.#target, port };
    const { counters } = this.endpoint;
    const reloadTls = async () => this.#tls?.reload();
    return { host: address, port, address: addressText(address, port), counters, reloadTls };
  }

  /** Ends the rotation of its ticket keys. */
  stop(): void {
    this.#tls?.stop();
  }
}

/**
 * One listener in this worker: its endpoint, its share of the connections, its balance, and its copies of the listening
 * socket. The primary's decisions arrive here: accept or suspend, limit, shutdown of its connections.
 */
import { request } from "../../../otp/gen-server/call.js";
import type { Pid } from "../../../otp/process/pid.js";
import { processOf } from "../../../otp/process/process.js";
import { whereis } from "../../../otp/process/registry.js";
import type { DynamicSupervisor } from "../../../otp/supervisor/dynamic/dynamic-supervisor.js";
import { clock } from "../../../otp/time/clock.js";
import { AcceptRate } from "../../../tcp/admission/accept-rate.js";
import { AcceptRates } from "../../../tcp/admission/accept-rates.js";
import { gateTermsOf, makeGate } from "../../../tcp/admission/options.js";
import type { AddressAuthority } from "../../../tcp/admission/terms.js";
import type { Connection } from "../../../tcp/connection/connection.js";
import { Endpoint } from "../../../tcp/endpoint.js";
import type { Listener } from "../../../tcp/listener/listener.js";
import type { SharedMaximum } from "../../../tcp/listener/shared-maximum.js";
import { openingOf, startTlsOf } from "../../../tcp/opening/options.js";
import type { InstanceOf, InstancesOf } from "../../../tcp/protocol/compiled/instances.js";
import type { AnyProtocol } from "../../../tcp/protocol/protocol.js";
import type { ServerOptions } from "../../../tcp/server.js";
import { addressGroup } from "../../../text/address-group.js";
import type { ServerTls } from "../../../tls/handshake/server-tls.js";
import type { Transport } from "../../../transport/transport.js";
import type { BootListener } from "../../channel/boot-message.js";
import type { Admission, Quota } from "../../channel/limit-terms.js";
import type { Load, Served, ToPrimary } from "../../channel/messages.js";
import { localConnections } from "../../inspect/connection-list.js";
import { AcceptBalance } from "./accept-balance.js";
import { FullReport } from "./full-report.js";
import { ListeningSocketCopies } from "./listening-socket-copies.js";
import { OverriddenLimits } from "./overridden-limits.js";

export interface WorkerListenerOptions {
  /** Whether handler latency is measured. */
  readonly timed: boolean;
  /** Asked where addresses have limits. */
  readonly addresses: AddressAuthority;
  /** `undefined`: plain. */
  readonly tls: ServerTls | undefined;
  /** Whether it is the only listener: then its processes have the plain names. */
  readonly only: boolean;
  /** Told of each accepted socket. */
  readonly descriptors: { accepted(fd: number): void };
  /** Of all listeners together. */
  readonly acceptRate: AcceptRate;
  /** Whether the worker is overloaded: no listener accepts then. */
  overloaded(): boolean;
  /** Connections that all listeners together may have at present. */
  maximum(): number;
  post(message: ToPrimary): void;
}

export class WorkerListener {
  readonly endpoint: Endpoint;
  readonly socketCopies: ListeningSocketCopies;
  suspended: boolean;
  /** This worker's share of the listener's own limit. */
  share: number;
  /** This worker's share of the listener's own. */
  readonly acceptRate: AcceptRate;
  /** Where it is one of several. */
  shared: SharedMaximum | undefined = undefined;
  /** Set before the listener starts. */
  #transport: Transport | undefined = undefined;
  readonly #limits: OverriddenLimits;
  readonly #full: FullReport;
  readonly #boot: BootListener;
  readonly #options: WorkerListenerOptions;
  readonly #prefix: string;
  readonly #acceptBalance: AcceptBalance;

  constructor(boot: BootListener, options: WorkerListenerOptions) {
    this.#boot = boot;
    this.#options = options;
    this.#prefix = options.only ? "" : `${boot.name}.`;
    const { tls } = options;
    const startTls =
      tls &&
      startTlsOf(
        () => this.#transport as Transport,
        tls,
        () => this.endpoint.counters,
      );
    const { name, proxy, tlsStart } = boot;
    const gate = makeGate(name, boot, boot.addresses ? options.addresses : undefined);
    const opening = openingOf({ proxy, gate, startTls, tlsStart });
    this.endpoint = new Endpoint({ name, timed: options.timed, ...opening });
    this.suspended = boot.suspended;
    this.share = boot.maxConnections;
    this.#limits = new OverriddenLimits(boot.limits);
    this.acceptRate = new AcceptRate(boot.acceptRate.rate, boot.acceptRate.tokens);
    this.#full = new FullReport(boot.whenFull, (full) => this.#sendFull(full));
    this.socketCopies = new ListeningSocketCopies(() => options.post({ t: "acquire", d: boot.name }));
    this.#acceptBalance = new AcceptBalance({
      quota: boot.quota,
      reportAt: boot.reportAt,
      counters: () => this.endpoint.counters,
      taken: () => this.endpoint.taken,
      mayStop: () => this.process?.pausable === true || this.socketCopies.ready,
      report: () => this.#sendLoad(true),
      changed: () => void this.recheck(),
    });
  }

  get name(): string {
    return this.#boot.name;
  }

  /** Connections that it may have at present. */
  get maxConnections(): number {
    return Math.min(this.share, this.shared?.left(this.endpoint) ?? this.#options.maximum());
  }

  /** The listener process, unless it is being restarted. */
  get process(): Listener | undefined {
    return this.#find("listener") as Listener | undefined;
  }

  /** Supervisor of its connections. */
  get connections(): DynamicSupervisor<[]> | undefined {
    return this.#find("connections") as DynamicSupervisor<[]> | undefined;
  }

  #find(name: string) {
    const pid: Pid | undefined = whereis(`${this.#prefix}${name}`);
    return pid && processOf(pid);
  }

  /** Its protocols, and the options that were given for them. @param protocols those of the boot message, loaded */
  served(protocols: readonly AnyProtocol[]): InstancesOf {
    const { protocol, alpn, options: given } = this.#boot;
    const indexes = [protocol, ...Object.values(alpn?.protocols ?? {})];
    return { protocols: indexes.map((index) => protocols[index] as AnyProtocol), given };
  }

  /** What the supervision tree starts for it. @param protocols those of the boot message, loaded */
  server(protocols: readonly AnyProtocol[], transport: Transport, instanceOf: InstanceOf): ServerOptions {
    this.#transport = transport;
    const listener = this;
    const { idle, alpn, address, backlog, shutdown } = this.#boot;
    const compiled = (index: number) =>
      this.#limits.compile(protocols[index] as AnyProtocol, {
        ...{ idle, latency: this.endpoint.latency, instanceOf },
      });
    const protocol = compiled(this.#boot.protocol);
    if (alpn) {
      const byName = Object.entries(alpn.protocols).map(([name, index]) => [name, compiled(index)] as const);
      this.endpoint.alpn = { byName: new Map(byName), fallback: alpn.fallback ? protocol : undefined };
    }
    return {
      prefix: this.#prefix,
      endpoint: this.endpoint,
      protocol,
      // A UNIX socket does not tell its path.
      acquire: async () => ({ ...(await this.socketCopies.acquire()), address: address.address }),
      renewable: true,
      descriptors: this.#options.descriptors,
      quota: this.#acceptBalance,
      shared: this.shared,
      full: this.#full,
      rates: new AcceptRates(this.acceptRate, this.#options.acceptRate),
      overloaded: this.#options.overloaded,
      transport,
      // With several the shared maximum adds the limit over all of them.
      get maxConnections() {
        return listener.shared ? listener.share : listener.maxConnections;
      },
      get suspended() {
        return listener.suspended;
      },
      address,
      backlog,
      shutdown,
    };
  }

  get transport(): Transport["name"] {
    return this.#boot.transport;
  }

  get reported(): Served {
    const address = this.process?.address ?? this.#boot.address;
    return { listener: this.name, ...address, transport: this.transport };
  }

  // -- decisions of the primary --------------------------------------------------------------------------

  /** @returns the state of the listener */
  accept(accept: boolean): Promise<string> {
    this.suspended = !accept;
    return this.#call(accept ? "resume" : "suspend");
  }

  setShare(share: number): Promise<string> {
    this.share = share;
    return this.limitChanged();
  }

  /** A limit has changed. */
  limitChanged(): Promise<string> {
    const supervisor = this.connections;
    if (supervisor) supervisor.maxChildren = this.shared ? this.share : this.maxConnections;
    return this.recheck();
  }

  /** Changes which clients it admits, and the limits of its connections, open ones included. */
  setAdmission({ allow, deny, addresses, limits }: Admission): void {
    this.endpoint.gate?.setTerms(
      gateTermsOf({ allow, deny }, addresses ? this.#options.addresses : undefined),
    );
    if (this.#limits.set(limits)) for (const connection of this.open) connection.limitsChanged();
  }

  /** Its connections. */
  get open(): readonly Connection[] {
    return this.connections ? localConnections([this.connections]) : [];
  }

  /** Counts a connection for its address from now on. @returns the group of its address, unless it is not counted */
  adopt(one: Connection): string | undefined {
    const { gate, opening } = this.endpoint;
    // Behind a proxy the header says whose connection it is; until it is there the gate has not been asked.
    if (opening?.proxy !== undefined && one.proxy?.relays !== true) return undefined;
    return gate?.adopt(one, one.peer.address);
  }

  setWhenFull({ mode, everywhere }: Pick<FullReport, "mode" | "everywhere">): Promise<string> {
    this.#full.mode = mode;
    this.#full.everywhere = everywhere;
    return this.recheck();
  }

  #sendFull(full: boolean): void {
    this.#options.post({
      t: "full",
      d: { listener: this.name, full },
    });
  }

  setQuota(quota: Quota): void {
    this.#acceptBalance.set(quota);
  }

  sendLoad(): void {
    this.#sendLoad(false);
  }

  #sendLoad(ahead: boolean): void {
    const d: Load = {
      listener: this.name,
      active: this.endpoint.taken,
      limit: this.maxConnections,
      ahead,
    };
    this.#options.post({ t: "load", d });
  }

  /** Has the listener compare its connections with the limit and the quota, of which one has changed. */
  recheck(): Promise<string> {
    return this.#call("limit");
  }

  /** As at the end of `connections`: exit signal `shutdown` to each, and `kill` after the shutdown time. */
  shutdownConnections(): number {
    const supervisor = this.connections;
    if (!supervisor) return 0;
    const left = supervisor.children().flatMap((pid) => processOf(pid) ?? []);
    for (const one of left) one.receiveExit(supervisor.pid, "shutdown");
    clock.setTimeout(
      () => {
        for (const one of left) one.receiveExit(supervisor.pid, "kill");
      },
      this.#boot.shutdown,
      true,
    );
    return left.length;
  }

  /** Ends the connections of an address, or /64, at once. */
  endAddress(group: string): void {
    const supervisor = this.connections;
    for (const pid of supervisor?.children() ?? []) {
      const one = processOf(pid) as Connection | undefined;
      if (one && addressGroup(one.peer.address) === group) one.receiveExit(supervisor?.pid as Pid, "kill");
    }
  }

  /** @returns the listener's state as the tree shows it; a listener that is being started reads the limits itself */
  async #call(name: string): Promise<string> {
    const listener = this.process;
    if (!listener) return "starting";
    const state = await request(listener.pid, name, []).catch(() => "down");
    return state === "listening" ? "running" : String(state);
  }
}

/** All listeners of this worker: made from the boot message, and started under one supervisor. */
import type { Pid } from "../../../otp/process/pid.js";
import type { AddressBan } from "../../../tcp/admission/terms.js";
import { SharedMaximum } from "../../../tcp/listener/shared-maximum.js";
import type { NumberedListener } from "../../../tcp/metrics/own-numbers.js";
import { useOutgoingTransport } from "../../../tcp/outgoing/open.js";
import { Instances } from "../../../tcp/protocol/compiled/instances.js";
import type { AnyProtocol } from "../../../tcp/protocol/protocol.js";
import { familyOf } from "../../../tcp/protocol/validate/validate.js";
import { startServers } from "../../../tcp/server.js";
import { chooseTransport } from "../../../transport/choose-transport.js";
import type { Boot } from "../../channel/boot-message.js";
import type { WorkerTls } from "./tls.js";
import { WorkerListener, type WorkerListenerOptions } from "./worker-listener.js";

export class WorkerListeners {
  /** In the order of the boot message; at least one. */
  readonly all: readonly WorkerListener[];
  readonly #boot: Boot;
  #instances: Instances | undefined = undefined;

  constructor(
    boot: Boot,
    tls: WorkerTls,
    options: Pick<
      WorkerListenerOptions,
      "maximum" | "overloaded" | "acceptRate" | "post" | "addresses" | "descriptors"
    >,
  ) {
    this.#boot = boot;
    const only = boot.listeners.length === 1;
    this.all = boot.listeners.map(
      (listener) =>
        new WorkerListener(listener, {
          ...options,
          timed: boot.timed,
          only,
          tls: tls.of(listener.name),
        }),
    );
    this.setBans(boot.bans);
    if (only) return;
    const endpoints = this.all.map(({ endpoint }) => endpoint);
    const shared = new SharedMaximum(endpoints, options.maximum);
    for (const listener of this.all) listener.shared = shared;
  }

  /** Name of their top supervisor. */
  get supervisor(): string {
    return this.all.length > 1 ? "listeners" : "tcp_server";
  }

  setBans(bans: readonly AddressBan[]): void {
    for (const { endpoint } of this.all) endpoint.gate?.setBans(bans);
  }

  endAddress(group: string): void {
    for (const listener of this.all) listener.endAddress(group);
  }

  find(name: string): WorkerListener | undefined {
    return this.all.find((listener) => listener.name === name);
  }

  /**
   * @param protocols in the order of the boot message
   * @returns their top supervisor
   * @throws ProcessExit when one cannot listen; Error when a protocol does not start
   */
  async start(protocols: readonly AnyProtocol[]): Promise<Pid> {
    const flags = { intensity: this.#boot.intensity, period: `${this.#boot.period}s` } as const;
    const instances = new Instances(this.all.map((listener) => listener.served(protocols)));
    this.#instances = instances;
    await instances.start();
    useOutgoingTransport((this.all[0] as WorkerListener).transport);
    const servers = await Promise.all(
      this.all.map(async (listener, at) => {
        const { transport } = await chooseTransport(listener.transport, false);
        return listener.server(protocols, transport, instances.of(at));
      }),
    );
    return startServers(servers, flags, instances.children(flags));
  }

  /** For their metrics and close reasons. @param protocols in the order of the boot message */
  numbered(protocols: readonly AnyProtocol[]): NumberedListener[] {
    return this.all.map((listener) => ({
      protocols: [...new Set(listener.served(protocols).protocols)].flatMap(familyOf),
      counters: listener.endpoint.counters,
    }));
  }

  /** Ends what protocols opened at the start. @param ms time that they have @returns what is wrong, one line each */
  async end(ms: number): Promise<readonly string[]> {
    return (await this.#instances?.stop(ms)) ?? [];
  }

  /** Longest time that connections have to finish, in milliseconds. */
  get shutdown(): number {
    return Math.max(...this.#boot.listeners.map(({ shutdown }) => shutdown));
  }

  /** Accepts no more, at once and for good. */
  leave(): void {
    this.closeCopies();
    for (const { process } of this.all) process?.leave();
  }

  /** Closes the copies of their sockets that are in reserve. */
  closeCopies(): void {
    for (const { socketCopies } of this.all) socketCopies.close();
  }
}

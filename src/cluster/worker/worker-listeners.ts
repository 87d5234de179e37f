/** All listeners of this worker: made from the boot message, and started under one supervisor. */
import type { Pid } from "../../otp/process/pid.js";
import { useOutgoingTransport } from "../../tcp/outgoing/open.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { startServers } from "../../tcp/server.js";
import { SharedMaximum } from "../../tcp/shared-maximum.js";
import { chooseTransport } from "../../transport/choose-transport.js";
import type { Boot } from "../channel/messages.js";
import type { WorkerTls } from "./tls.js";
import { WorkerListener, type WorkerListenerOptions } from "./worker-listener.js";

export class WorkerListeners {
  /** In the order of the boot message; at least one. */
  readonly all: readonly WorkerListener[];
  readonly #boot: Boot;

  constructor(boot: Boot, tls: WorkerTls, options: Pick<WorkerListenerOptions, "maximum" | "post">) {
    this.#boot = boot;
    const only = boot.listeners.length === 1;
    this.all = boot.listeners.map(
      (listener) =>
        new WorkerListener(listener, { ...options, timed: boot.timed, only, tls: tls.of(listener.name) }),
    );
    if (only) return;
    const endpoints = this.all.map(({ endpoint }) => endpoint);
    const shared = new SharedMaximum(endpoints, options.maximum);
    for (const listener of this.all) listener.shared = shared;
  }

  /** Name of their top supervisor. */
  get supervisor(): string {
    return this.all.length > 1 ? "listeners" : "tcp_server";
  }

  find(name: string): WorkerListener | undefined {
    return this.all.find((listener) => listener.name === name);
  }

  /**
   * @param protocols in the order of the boot message
   * @returns their top supervisor
   * @throws ProcessExit when one cannot listen
   */
  async start(protocols: readonly AnyProtocol[]): Promise<Pid> {
    const { intensity, period } = this.#boot;
    useOutgoingTransport((this.all[0] as WorkerListener).transport);
    const servers = await Promise.all(
      this.all.map(async (listener) => {
        const { transport } = await chooseTransport(listener.transport, false);
        return listener.server(protocols, transport);
      }),
    );
    return startServers(servers, { intensity, period: `${period}s` });
  }

  /** Closes the copies of their sockets that are in reserve. */
  closeCopies(): void {
    for (const { socketCopies } of this.all) socketCopies.close();
  }
}

/**
 * TCP port of the admin server. At the start of the program a port that is taken is an error. At a restart of the
 * admin server it is tried again, with growing pauses, until it is free: missing metrics must not end the program.
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import { adminPortEvents } from "../events.js";
import { closeServer, listen } from "./http-server.js";

/** Milliseconds before the second attempt; doubled with each further one. */
const FIRST_PAUSE = 500;
/** Longest pause, in milliseconds, between two attempts. */
const LONGEST_PAUSE = 15_000;

export interface TcpAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export class TcpPort {
  readonly #address: TcpAddress;
  readonly #server: Server;
  #pause = FIRST_PAUSE;
  #timer: TimerRef = undefined;
  /** Why the last attempt has failed; published when it changes. */
  #failure: string | undefined = undefined;
  #closed = false;

  private constructor(address: TcpAddress, server: Server) {
    this.#address = address;
    this.#server = server;
  }

  /** @throws NodeJS.ErrnoException when the address cannot be bound */
  static async open(address: TcpAddress, server: Server): Promise<TcpPort> {
    const port = new TcpPort(address, server);
    await listen(server, address);
    return port;
  }

  /** Opens it now or as soon as the address can be bound. */
  static async reopen(address: TcpAddress, server: Server): Promise<TcpPort> {
    const port = new TcpPort(address, server);
    await port.#try();
    return port;
  }

  /** The bound port. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #try(): Promise<void> {
    try {
      await listen(this.#server, this.#address);
      if (this.#closed) this.#server.close();
      else if (this.#failure !== undefined) this.#report(undefined);
    } catch (error) {
      if (this.#closed) return;
      this.#report((error as NodeJS.ErrnoException).code ?? (error as Error).message);
      this.#timer = clock.setTimeout(() => void this.#try(), this.#pause, true);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    }
  }

  #report(failure: string | undefined): void {
    const known = failure !== undefined && failure === this.#failure;
    this.#failure = failure;
    if (!known && adminPortEvents.hasSubscribers) adminPortEvents.publish({ ...this.#address, failure });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clock.clearTimeout(this.#timer);
    await closeServer(this.#server);
  }
}

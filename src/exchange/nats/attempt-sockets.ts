/**
 * Sockets of one attempt to connect, which the client keeps to itself. It forgets the socket of an attempt that timed out:
 * while a server is paused, each attempt would leave one open. And it closes a connection behind what was written: the
 * kernel would send that when the cable is back, minutes old, and other servers would take it for a sign of life.
 */
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { clock, type TimerRef } from "../../otp/time/clock.js";

const created = channel("net.client.socket");

/** The server has accepted the connection, and has then not said in time what it is. */
export class SlowServerError extends Error {
  override readonly name = "TimeoutError";
}

/** Milliseconds. */
export interface AttemptTimes {
  /** Until the server accepts. */
  readonly accept: number;
  /** From then on until the connection can be used: a server that is reached at the last moment has time to answer. */
  readonly answer: number;
}

export interface Connected<T> {
  readonly connection: T;
  /** Closes its socket at once: what was written and has not left is discarded. */
  reset(): void;
}

/** The sockets that are created while it is open, and their time. */
class AttemptSockets {
  readonly #port: number;
  readonly #times: AttemptTimes;
  readonly #sockets: Socket[] = [];
  /** Those that the server has accepted. */
  readonly accepted: Socket[] = [];
  readonly #timers = new Map<Socket, TimerRef>();
  readonly #collect = (message: unknown) => this.#add((message as { readonly socket: Socket }).socket);
  late = false;

  /** @param port of the server; sockets to other ports are not of this attempt */
  constructor(port: number, times: AttemptTimes) {
    this.#port = port;
    this.#times = times;
    created.subscribe(this.#collect);
  }

  #add(socket: Socket): void {
    this.#sockets.push(socket);
    this.#limit(socket, this.#times.accept);
    // Before the client's own listener, which removes all.
    socket.once("connect", () => {
      if (socket.remotePort !== this.#port) return;
      this.accepted.push(socket);
      if (this.#timers.has(socket)) this.#limit(socket, this.#times.answer);
    });
  }

  #limit(socket: Socket, ms: number): void {
    clock.clearTimeout(this.#timers.get(socket));
    this.#timers.set(
      socket,
      clock.setTimeout(() => this.#expire(socket), ms),
    );
  }

  #expire(socket: Socket): void {
    if (!this.#isOurs(socket)) return;
    this.late = true;
    // Without an error: the client listens to none of it for some microtasks.
    socket.destroy();
  }

  #isOurs(socket: Socket): boolean {
    return socket.connecting || this.accepted.includes(socket);
  }

  /** Closes what nothing listens to any more. */
  destroy(): void {
    for (const socket of this.#sockets.filter((one) => this.#isOurs(one))) {
      socket.on("error", () => {});
      socket.destroy();
    }
  }

  close(): void {
    created.unsubscribe(this.#collect);
    for (const timer of this.#timers.values()) clock.clearTimeout(timer);
    this.#timers.clear();
  }
}

/**
 * One attempt at a time.
 * @param port of the server
 * @throws SlowServerError instead of the client's own
 */
export async function connectAlone<T>(
  port: number,
  times: AttemptTimes,
  attempt: () => Promise<T>,
): Promise<Connected<T>> {
  const sockets = new AttemptSockets(port, times);
  try {
    const connection = await attempt();
    const used = sockets.accepted;
    return { connection, reset: () => used.forEach(reset) };
  } catch (error) {
    const accepted = sockets.accepted.length > 0;
    sockets.destroy();
    if (!sockets.late && (error as Error).name !== "TimeoutError") throw error;
    throw accepted ? new SlowServerError("timeout") : new DOMException("timeout", "TimeoutError");
  } finally {
    sockets.close();
  }
}

function reset(socket: Socket): void {
  // Of a socket under TLS as well; one that has closed does nothing.
  socket.on("error", () => {});
  socket.resetAndDestroy();
}

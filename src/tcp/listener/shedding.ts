/** Ends the connection that has been idle for longest for a new client, whose socket waits for that end. */
import { processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import type { DynamicSupervisor } from "../../otp/supervisor/dynamic/dynamic-supervisor.js";
import type { Socket } from "../../transport/transport.js";
import { IdleLongest } from "../admission/idle-longest.js";
import { WaitingSockets } from "../admission/waiting-sockets.js";
import type { Connection } from "../connection/connection.js";

/** Clients that may wait for the end of other connections at once. They are within the reserve of descriptors. */
const MOST_SHEDDING = 16;

export class Shedding {
  /** The registered name of the supervisor of the connections. */
  readonly #connections: string;
  /** Accepted sockets for which a connection is being ended. */
  readonly waiting = new WaitingSockets(MOST_SHEDDING);
  /** Accepted sockets without a place on whose address the gate has not decided. */
  undecided = 0;
  readonly #idleLongest = new IdleLongest(() => this.#all());

  constructor(connections: string) {
    this.#connections = connections;
  }

  /** Whether as many clients wait as may. */
  get full(): boolean {
    return this.waiting.size + this.undecided >= MOST_SHEDDING;
  }

  /** @returns false: none is idle, or too many clients wait already */
  shedFor(socket: Socket, group: string | undefined): boolean {
    const idle = this.waiting.full ? undefined : this.#idleLongest.next();
    if (idle === undefined) return false;
    this.waiting.add(socket, group);
    // It may be over when this returns, and the socket in its place.
    idle.shed();
    return true;
  }

  /** Ends one more, where the limit was lowered and the end of another made no room. */
  shedOne(): void {
    this.#idleLongest.next()?.shed();
  }

  #all(): Connection[] {
    const supervisor = whereis(this.#connections)?.process as DynamicSupervisor<[]> | undefined;
    return (supervisor?.children() ?? []).flatMap((pid) => (processOf(pid) as Connection | undefined) ?? []);
  }
}

// What a fault is: what it does to the server, and how it ends.
import type { Random } from "../../fuzz/random.js";
import type { Server } from "../server.js";

export interface Fault {
  readonly name: string;
  /** A worker ends by it, and another one takes its place. */
  readonly endsWorker?: boolean;
  /** The control socket cannot answer while it lasts. */
  readonly primaryAway?: boolean;
  /** Requests to the control socket may be refused at once while it lasts. */
  readonly primaryRefuses?: boolean;
  /** The program ends by it, and is started again. */
  readonly endsPrimary?: boolean;
  /** Whether this machine and this user can cause it. Default: always. */
  isPossible?(server: Server): boolean;
  /**
   * Resolves when the fault is over; recovery counts from then.
   * @returns what went wrong, if anything
   */
  cause(server: Server, random: Random): Promise<string | undefined | void>;
  /** Whether the server has recovered, where workers that accept are not enough. */
  isOver?(server: Server): Promise<boolean>;
}

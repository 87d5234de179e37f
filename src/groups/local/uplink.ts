/** Uplink: how an OS process reaches the hub, in this OS process or in the exchange. */
import type { Pid } from "../../otp/process/pid.js";
import type { PidPair } from "../hub/hub.js";
import type { HubAnswers, HubQuery } from "../hub/hub-queries.js";
import type { Message } from "../message.js";
import type { MembershipListener } from "./local-members.js";
import type { NameUplink } from "./local-names.js";

/** Bytes that wait for delivery, or for the exchange, above which connections that send are held. */
export const HOLD_ABOVE = 1024 * 1024;
/** Bytes at which they are let go. */
export const LET_GO_AT = HOLD_ABOVE / 2;
/** Bytes above which messages are dropped. */
export const DROP_ABOVE = 8 * 1024 * 1024;

export interface Uplink extends MembershipListener, NameUplink {
  /** Sends a message to all members of a group but one. */
  publish(group: string, message: Message, except: Pid | undefined): void;
  /** Bytes that wait on this side. */
  readonly waiting: number;
  /** Of these, bytes that wait for the exchange. */
  readonly linkBytes: number;
  /** Less waits for delivery to the members here than before. */
  relieved?(): void;
  /**
   * Asks the process that holds a name; the answer comes to `LocalAsks`.
   * @param id 0: none is expected
   */
  ask(id: number, name: string, body: Message, within: number, from: PidPair): void;
  /** Another way to the hub is used from now on: what is still decided here must reach no process. */
  close(): void;
  /** What the tables of the hub have. @throws Error when the exchange does not answer */
  query<Q extends HubQuery>(query: Q): Promise<HubAnswers[Q["ask"]]>;
}

/** Types of presence: who is in a group, and how it changes. */
import type { Pid } from "../../otp/process/pid.js";
import type { Json } from "./sources.js";

/** A member of a group with `presence`, as it has introduced itself when it joined. */
export interface PresentMember {
  readonly pid: Pid;
  readonly key: string;
  readonly info: Json;
}

/** What a `presence` cell gets: at most one event each 100 ms for a group. */
export interface Presence {
  /** Full name of the group: `room/general`. */
  readonly group: string;
  /**
   * The first event after joining: `joined` has all members. Those that follow have what has changed since. Also the first
   * event, within a second, after a time in states without the cell, or with a full mailbox, in which something was missed.
   */
  readonly initial: boolean;
  /** Members that are new, or have joined again with another key or info. */
  readonly joined: readonly PresentMember[];
  readonly left: readonly LeftMember[];
}

/** `left`: it has left, or ended. `node_down`: its machine is gone, or cannot be reached. */
export type LeftMember = PresentMember & { readonly why: "left" | "node_down" };

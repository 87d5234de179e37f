/** The last bad frame of a listener, for `drover connections`: its connection has ended, and is in no list. */
import type { Pid } from "../../otp/process/pid.js";
import { wallTime } from "../../otp/time/clock.js";
import type { Peer } from "../../transport/transport.js";

export interface BadFrameNote {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly pid: Pid;
  readonly protocol: string;
  readonly peer: Peer;
  readonly code: string;
  /** Message of the framing: at most so long. */
  readonly message: string;
}

const MAX_MESSAGE = 200;

export function badFrameOf(
  { pid, label: protocol, peer }: { readonly pid: Pid; readonly label: string; readonly peer: Peer },
  code: string,
  message: string,
): BadFrameNote {
  return { at: wallTime(), ...{ pid, protocol, peer, code }, message: message.slice(0, MAX_MESSAGE) };
}

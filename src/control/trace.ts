/** Trace of one process, line by line. */

export interface TraceLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: string;
  readonly what: "frame_in" | "frame_out" | "state" | "message" | "call" | "event" | "end" | "dropped";
  /** State of the process before the event; of `state`: the new one. */
  readonly state?: string;
  /** Of a message of a group, and the pid of its sender where it is known. */
  readonly group?: string;
  readonly from?: string;
  /** Of a frame: its length in bytes. Of `dropped`: lines left out by the rate limit. */
  readonly length?: number;
  /** The first 256 bytes of a frame. */
  readonly hex?: string;
  /** A frame as text, control characters escaped; a message, event or reason as `util.inspect` shows it. */
  readonly text?: string;
}

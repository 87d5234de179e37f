/**
 * Flags of a connection and of its reader and writer: each set packed into one integer, because a field of its own
 * costs 8 bytes in every connection.
 */
import { FIRST_SUBCLASS_FLAG } from "../../otp/process/flags.js";

// -- of a connection, above the flags of every process --------------------------------------------------

/** The socket is gone, or its peer takes nothing: output that waits will never leave. */
export const HOPELESS = FIRST_SUBCLASS_FLAG;
/** Frames are being handled. */
export const PUMPING = FIRST_SUBCLASS_FLAG << 1;
/** It stands in the run queue. */
export const DEFERRED = FIRST_SUBCLASS_FLAG << 2;
/** The output has gone down to its low-water mark, and the protocol has not been told (`drained`). */
export const RELIEVED = FIRST_SUBCLASS_FLAG << 3;
/** The protocol was told that the peer has finished sending (`ended`). */
export const ENDED_TOLD = FIRST_SUBCLASS_FLAG << 4;
/** The protocol was told that the frames it asked for are used up (`passive`). */
export const PASSIVE_TOLD = FIRST_SUBCLASS_FLAG << 5;
/** Its supervisor has asked it to shut down, and the protocol has not been told. */
export const SHUTDOWN_ASKED = FIRST_SUBCLASS_FLAG << 6;
/** Its signal, a promise for room or a callback at its end was asked for: see `abort-signal.ts`. */
export const OBSERVED = FIRST_SUBCLASS_FLAG << 7;
/** Its opening (PROXY header, TLS) is not done: the protocol knows nothing of it yet. */
export const UNOPENED = FIRST_SUBCLASS_FLAG << 8;
/** TLS has been begun by its protocol; nothing may be sent or received in clear. Messages wait until it is up. */
export const STARTING_TLS = FIRST_SUBCLASS_FLAG << 9;
/** The handshake of that TLS has begun, or is done. */
export const TLS_STARTED = FIRST_SUBCLASS_FLAG << 10;
/** It is ended to make room for another connection. */
export const SHED = FIRST_SUBCLASS_FLAG << 11;

// -- of its reader and writer ---------------------------------------------------------------------------

/** The output has reached its high-water mark, and not yet gone down to the low one. */
export const FULL = 1;
/** The decoder has given out all its frames and needs bytes. */
export const HUNGRY = 2;
/** The peer has finished sending. */
export const ENDED = 4;
/** `active: true`: frames are handled whether or not the output has room. */
export const HEEDLESS = 8;
/** The socket is not being read. */
export const PAUSED = 16;
/** It sends to groups, or to names, faster than the exchange takes it: no frame is handled. */
export const HELD = 64;
/** Other connections throttle it (`throttleBy`): frames are handled only while their output has room. */
export const THROTTLED = 128;
/** The socket is not being read because frames wait for more than their turn: the client is pushed back. */
export const PUSHED_BACK = 32;
/** TLS begins: the socket is not read in clear any more. */
export const SEALED = 256;
/** Its unfinished frame is counted for the bound of the OS process. */
export const COUNTED = 512;

/**
 * What all connections of one OS process share, whichever listener accepted them: the timer wheel, the run
 * queue, the output buffer, and how much output and how much of unfinished frames waits in all of them.
 *
 * There is one event loop per OS process, and so one `Loop`; only tests make others.
 */
import { OutputBuffer } from "./output-buffer.js";
import { RecentConnections } from "./recent-connections.js";
import { RunQueue } from "./run-queue.js";
import { TimerWheel } from "./timer-wheel.js";
import { UnfinishedFrames } from "./unfinished-frames.js";
import { WaitingOutput } from "./waiting-output.js";

/** Room for the head of one large frame, unless a framing of the user's needs more. */
const HEAD_BYTES = 16;

export class Loop {
  readonly timerWheel = new TimerWheel();
  readonly runQueue = new RunQueue();
  readonly output = new OutputBuffer();
  readonly recent = new RecentConnections<object>();
  readonly unfinished = new UnfinishedFrames();
  readonly waitingOutput = new WaitingOutput();
  /** Where the head of a large frame is encoded, ahead of the frame's own memory. */
  heads = Buffer.allocUnsafeSlow(HEAD_BYTES);

  /** The head just written belongs to a socket until that write completes. */
  renewHeads(bytes = HEAD_BYTES): void {
    this.heads = Buffer.allocUnsafeSlow(bytes);
  }
}

/** The loop of this OS process. */
export const processLoop = new Loop();

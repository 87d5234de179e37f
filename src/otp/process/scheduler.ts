/**
 * Scheduler: one run queue of processes with messages. A process handles up to 64 messages and goes to the back of the
 * queue; after 4096 messages the event loop runs, so that no process and no storm of messages starves the sockets.
 */
import { runInMicrotask } from "./microtask.js";

/** A process as the scheduler sees it. */
export interface Runnable {
  scheduled: boolean;
  /** Handles at most `budget` messages. @returns how many */
  run(budget: number): number;
  /** Whether a message can be handled now. */
  readonly runnable: boolean;
}

/** Messages that one process handles before the next process runs. */
const REDUCTIONS = 64;
/** Messages handled before the event loop runs. */
const MESSAGES_PER_TURN = 4096;

let runQueue: Runnable[] = [];
let head = 0;
let armed = false;
/** Messages left in this turn. Kept when the queue empties: with promise handlers that is after every message. */
let budget = MESSAGES_PER_TURN;

/** Adds a process to the run queue, unless it is in it. */
export function schedule(process: Runnable): void {
  if (process.scheduled) return;
  process.scheduled = true;
  runQueue.push(process);
  if (armed) return;
  armed = true;
  if (budget > 0) runInMicrotask(drain);
  else setImmediate(nextTurn);
}

/** Whether a process is in the run queue. */
export function hasRunnable(): boolean {
  return armed;
}

function nextTurn(): void {
  budget = MESSAGES_PER_TURN;
  drain();
}

function drain(): void {
  try {
    while (head < runQueue.length && budget > 0) {
      const process = runQueue[head++] as Runnable;
      process.scheduled = false;
      budget -= process.run(REDUCTIONS) + 1;
      if (process.runnable) schedule(process);
    }
  } catch (thrown) {
    // An error outside any handler is a defect: report it as an uncaught exception, not as a rejected promise.
    queueMicrotask(() => {
      throw thrown;
    });
  }
  // After an error too: the remaining processes must not wait for ever.
  scheduleRest();
}

/** Resets the empty queue, or continues with the rest of it after the event loop has run. */
function scheduleRest(): void {
  if (head === runQueue.length) {
    runQueue.length = 0;
    head = 0;
    armed = false;
    return;
  }
  runQueue = runQueue.slice(head);
  head = 0;
  setImmediate(nextTurn);
}

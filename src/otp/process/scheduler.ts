/**
 * Who runs next. Processes with messages stand in one line; each handles a few and goes to the back, and
 * after a bounded amount of work the event loop gets its turn, so that neither a chatty process nor a
 * storm of messages can keep the sockets waiting.
 */
import { runInMicrotask } from "./microtask.js";

/** What the scheduler needs to know of a process. */
export interface Runnable {
  scheduled: boolean;
  /** Handles at most `budget` messages; returns how many. True in `scheduled` again when more wait. */
  run(budget: number): number;
  /** Whether there is something to do now. */
  readonly runnable: boolean;
}

/** Messages that one process may handle before the others get their turn. */
const REDUCTIONS = 64;
/** Messages handled in one go before the event loop turns. */
const TURN = 4096;

let line: Runnable[] = [];
let head = 0;
let armed = false;
/** What is left of this go. It outlives the line: handlers that are promises empty it after every message. */
let budget = TURN;

/** Puts a process into the line, once. */
export function schedule(process: Runnable): void {
  if (process.scheduled) return;
  process.scheduled = true;
  line.push(process);
  if (armed) return;
  armed = true;
  if (budget > 0) runInMicrotask(drain);
  else setImmediate(nextTurn);
}

/** Whether a process stands in the line. */
export function waiting(): boolean {
  return armed;
}

function nextTurn(): void {
  budget = TURN;
  drain();
}

function drain(): void {
  try {
    while (head < line.length && budget > 0) {
      const process = line[head++] as Runnable;
      process.scheduled = false;
      budget -= process.run(REDUCTIONS) + 1;
      if (process.runnable) schedule(process);
    }
  } catch (thrown) {
    // A process has failed in a way that it should not: an uncaught exception, and not a rejected promise.
    queueMicrotask(() => {
      throw thrown;
    });
  }
  // In that case too: the others are not to stand still for ever.
  rest();
}

/** The line is done, or what is left of it waits until the event loop has turned. */
function rest(): void {
  if (head === line.length) {
    line.length = 0;
    head = 0;
    armed = false;
    return;
  }
  line = line.slice(head);
  head = 0;
  setImmediate(nextTurn);
}

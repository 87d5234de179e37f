/**
 * Histogram of handler durations (`--handler-latency on`). Connections then run on copies of the protocol's cells that
 * read the clock before and after; otherwise no clock is read. An async handler is timed until its promise settles:
 * its client waits that long too.
 */

import type { Outcome } from "../../otp/gen-statem/gen-statem.js";
import { clock } from "../../otp/time/clock.js";
import type { CompiledStates, ProtocolCells } from "../protocol/compiled/compile.js";
import { HANDLER_BOUNDS } from "./events.js";

export class Latency {
  /** One count per bucket of HANDLER_BOUNDS (upper bounds); the last is what took longer than all of them. */
  readonly counts: number[] = Array.from({ length: HANDLER_BOUNDS.length + 1 }, () => 0);
  /** Sum of all durations, in seconds. */
  seconds = 0;

  record(seconds: number): void {
    let at = 0;
    while (at < HANDLER_BOUNDS.length && seconds > (HANDLER_BOUNDS[at] as number)) at++;
    (this.counts[at] as number)++;
    this.seconds += seconds;
  }
}

/** The same states with every cell timed. */
export function timedStates(compiled: CompiledStates, latency: Latency): CompiledStates {
  const states = new Map([...compiled.states].map(([name, cells]) => [name, timedCells(cells, latency)]));
  return { ...compiled, states, initial: states.get(compiled.initial.name) as ProtocolCells };
}

function timedCells(cells: ProtocolCells, latency: Latency): ProtocolCells {
  const {
    enter,
    frame,
    message,
    request,
    replaced,
    bad,
    presence,
    timeout,
    idle,
    passive,
    drained,
    ended,
    shutdown,
    timers,
  } = cells;
  const timed = <A extends unknown[], R extends Outcome | boolean>(cell: (...args: A) => R) => {
    return (...args: A): R => {
      const began = clock.now();
      const done = (): void => latency.record((clock.now() - began) / 1000);
      let outcome: R;
      try {
        outcome = cell(...args);
      } catch (thrown) {
        done();
        throw thrown;
      }
      if (outcome instanceof Promise) outcome.then(done, done);
      else done();
      return outcome;
    };
  };
  return {
    ...cells,
    enter: enter && timed(enter),
    frame: timed(frame),
    message: message && timed(message),
    request: request && timed(request),
    replaced: replaced && timed(replaced),
    bad: bad && timed(bad),
    presence: presence && timed(presence),
    timeout: timeout && timed(timeout),
    idle: timed(idle),
    passive: passive && timed(passive),
    drained: drained && timed(drained),
    ended: timed(ended),
    shutdown: timed(shutdown),
    timers: timers && new Map([...timers].map(([name, cell]) => [name, timed(cell)])),
  };
}

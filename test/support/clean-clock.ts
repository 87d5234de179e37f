/**
 * Set-up of each file. The files of a run share their OS process, so a file fails that leaves behind what reaches into
 * the next: a manual clock, or a timer of the real one that keeps the OS process alive or arms another timer.
 */
import { afterAll, expect } from "vitest";
import { type Clock, clock, ManualClock, settle, systemClock, useClock } from "../../src/otp/time/clock.js";

interface Armed {
  readonly callback: () => void;
  readonly background: boolean;
  /** Where it was armed. */
  readonly at: Error;
}

/** Pending timers of the real clock. This module is evaluated again for each file, the clock is not. */
const pending = ((globalThis as { realTimers?: Map<unknown, Armed> }).realTimers ??= watchTimers());

function watchTimers(): Map<unknown, Armed> {
  const armed = new Map<unknown, Armed>();
  const { setTimeout, clearTimeout } = systemClock;
  const watched: Partial<Clock> = {
    setTimeout: (callback, ms, background = false) => {
      const fire = () => {
        armed.delete(timer);
        callback();
      };
      const timer = setTimeout(fire, ms, background);
      armed.set(timer, { callback, background, at: new Error(`a timer of ${ms} ms`) });
      return timer;
    },
    clearTimeout: (timer) => {
      armed.delete(timer);
      clearTimeout(timer);
    },
  };
  Object.assign(systemClock, watched);
  return armed;
}

/** Lets a timer that was left behind expire. @returns whether that arms another one */
async function armsAnother({ callback }: Armed): Promise<boolean> {
  const probe = new ManualClock();
  const restore = useClock(probe);
  try {
    callback();
    await settle();
  } finally {
    restore();
  }
  return probe.pending > 0;
}

afterAll(async () => {
  const file = expect.getState().testPath;
  if (clock !== systemClock) {
    useClock(systemClock);
    throw new Error(`${file} left a clock of its own behind`);
  }
  // A list of deadlines lets go of its timer in the next turn of the event loop.
  await settle();
  const left: string[] = [];
  for (const [timer, armed] of [...pending]) {
    systemClock.clearTimeout(timer);
    if (!armed.background || (await armsAnother(armed))) left.push(armed.at.stack ?? "");
  }
  if (left.length > 0) throw new Error(`${file} left timers behind: ${left.join("\n")}`);
});

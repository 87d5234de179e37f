/** Set-up of each file: the files of a run share their OS process, so one that leaves a manual clock behind stops others. */
import { afterAll, expect } from "vitest";
import { clock, systemClock, useClock } from "../../src/otp/time/clock.js";

afterAll(() => {
  if (clock === systemClock) return;
  useClock(systemClock);
  throw new Error(`${expect.getState().testPath} left a clock of its own behind`);
});

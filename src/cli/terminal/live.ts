/** Commands that go on: a picture each second, until q, Ctrl-C, or the end of the terminal. */
import type { Writable } from "node:stream";
import { scheduler } from "node:timers/promises";
import type { Asked } from "../command.js";
import { Output } from "./output.js";
import { Screen } from "./screen.js";

const EVERY = 1_000;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A picture that is drawn again and again. */
export interface Live {
  /** Gets what is new. */
  update(size: Size): Promise<void>;
  /** As many lines as fit; called again without `update` when the terminal has changed its size. */
  draw(size: Size): readonly string[];
  /** @returns whether it is to be updated at once */
  onKey?(key: string): boolean;
}

/** @throws CommandError when the server does not answer any more; the terminal is put right before */
export async function runLive({ stdout, stdin, interrupt }: Asked, live: Live): Promise<void> {
  const output = new Output(stdout, interrupt);
  let hurry = new AbortController();
  const size = (): Size => ({ columns: output.columns ?? 80, rows: output.rows ?? 24 });
  const screen = new Screen(output, stdin, (key) => {
    if (live.onKey?.(key)) hurry.abort();
  });
  let drawn = false;
  output.onResize(() => {
    if (drawn) void screen.draw(live.draw(size()));
  });
  try {
    while (!output.signal.aborted) {
      await live.update(size());
      drawn = true;
      await screen.draw(live.draw(size()));
      await pause(AbortSignal.any([output.signal, hurry.signal]));
      hurry = new AbortController();
    }
  } finally {
    output.stop();
    await screen.close((text) => written(stdout, text));
  }
  if (output.failure) throw output.failure;
}

function pause(signal: AbortSignal): Promise<void> {
  return scheduler.wait(EVERY, { signal }).catch(() => {});
}

/** A terminal that has gone takes nothing, which is all right. */
function written(stdout: Writable, text: string): Promise<void> {
  return new Promise((resolve) => stdout.write(text, () => resolve()));
}

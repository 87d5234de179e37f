/** Full-screen commands: redrawn each second until q, Ctrl-C, or the terminal is closed. */
import type { Writable } from "node:stream";
import { scheduler } from "node:timers/promises";
import type { Invocation } from "../command.js";
import { Output } from "./output.js";
import { Screen } from "./screen.js";

/** Milliseconds between two updates. */
const INTERVAL = 1_000;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Content of the screen. */
export interface Live {
  /** Fetches new data. */
  update(size: Size): Promise<void>;
  /** Lines that fit; called without `update` when the terminal was resized. */
  draw(size: Size): readonly string[];
  /** @returns whether to update at once */
  onKey?(key: string): boolean;
}

/** @throws CommandError when the server no longer answers; the terminal is restored first */
export async function runLive({ stdout, stdin, interrupt }: Invocation, live: Live): Promise<void> {
  const output = new Output(stdout, interrupt);
  let updateNow = new AbortController();
  const size = (): Size => ({ columns: output.columns ?? 80, rows: output.rows ?? 24 });
  const screen = new Screen(output, stdin, (key) => {
    if (live.onKey?.(key)) updateNow.abort();
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
      await pause(AbortSignal.any([output.signal, updateNow.signal]));
      updateNow = new AbortController();
    }
  } finally {
    output.stop();
    await screen.close((text) => written(stdout, text));
  }
  if (output.failure) throw output.failure;
}

function pause(signal: AbortSignal): Promise<void> {
  return scheduler.wait(INTERVAL, { signal }).catch(() => {});
}

/** Resolves also when the terminal is closed. */
function written(stdout: Writable, text: string): Promise<void> {
  return new Promise((resolve) => stdout.write(text, () => resolve()));
}

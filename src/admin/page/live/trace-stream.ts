/** What a process does, told for as long as somebody looks at it. */
import { useEffect, useState } from "preact/hooks";
import type { TraceLine } from "../../../control/trace.js";
import { Ring } from "../model/ring-buffer.js";
import { listen } from "../net/event-stream.js";
import type { Problem } from "../net/problem.js";
import { inPath } from "../net/request.js";
import { untilLive } from "./server-state.js";
import { pause, untilVisible, whileVisible } from "./visibility.js";

const MOST_LINES = 300;
const DRAW_EVERY = 200;
/** After a stream that has ended or was refused: as many are open as there may be, or the worker hangs. */
const AGAIN_AFTER = 3_000;

/** `serial` counts up, for the page to tell them apart. */
export type NumberedLine = TraceLine & { readonly serial: number };

export interface Traced {
  /** Oldest first. */
  readonly lines: readonly NumberedLine[];
  /** Why nothing comes. */
  readonly problem: Problem | undefined;
}

/** @param on whether there is anybody to be followed */
export function useTrace(pid: string, on: boolean): Traced {
  const [traced, setTraced] = useState<Traced>({ lines: [], problem: undefined });
  useEffect(() => {
    if (!on) return undefined;
    const gone = new AbortController();
    const ring = new Ring<NumberedLine>(MOST_LINES);
    let drawing: ReturnType<typeof setTimeout> | undefined;
    const draw = (problem?: Problem) => {
      clearTimeout(drawing);
      drawing = undefined;
      if (!gone.signal.aborted) setTraced({ lines: ring.toArray(), problem });
    };
    draw();
    void follow(pid, gone.signal, {
      line(line) {
        ring.push({ ...line, serial: ring.taken });
        drawing ??= setTimeout(draw, DRAW_EVERY);
      },
      ended: draw,
    });
    return () => {
      gone.abort();
      clearTimeout(drawing);
    };
  }, [pid, on]);
  return traced;
}

interface Follower {
  line(line: TraceLine): void;
  ended(problem: Problem | undefined): void;
}

/** A hidden page follows nobody; it goes on once it is seen again. */
async function follow(pid: string, gone: AbortSignal, follower: Follower): Promise<void> {
  for (;;) {
    await untilVisible();
    await untilLive();
    if (gone.aborted) return;
    const signal = whileVisible(gone);
    const problem = await listen(`/trace/${inPath(pid)}`, signal, ({ name, data }) => {
      if (name === "trace") follower.line(JSON.parse(data) as TraceLine);
    });
    if (gone.aborted) return;
    if (signal.aborted) continue;
    follower.ended(problem);
    await pause(AGAIN_AFTER, gone);
  }
}

/** Stream of trace lines of one process, open while a component that shows it is mounted. */
import { useEffect, useState } from "preact/hooks";
import type { TraceLine } from "../../../control/trace.js";
import { RingBuffer } from "../model/ring-buffer.js";
import { listen } from "../net/event-stream.js";
import type { Problem } from "../net/problem.js";
import { inPath } from "../net/request.js";
import { untilLive } from "./server-state.js";
import { pause, untilVisible, whileVisible } from "./visibility.js";

const MOST_LINES = 300;
const DRAW_EVERY = 200;
/** Delay in ms before a new attempt after a stream ended or was refused (too many streams, blocked worker). */
const AGAIN_AFTER = 3_000;

/** `serial` counts up and is the key of the line on the page. */
export type NumberedLine = TraceLine & { readonly serial: number };

export interface Traced {
  /** Oldest first. */
  readonly lines: readonly NumberedLine[];
  /** Why the stream ended. */
  readonly problem: Problem | undefined;
}

/** @param on `false` once the process has ended */
export function useTrace(pid: string, on: boolean): Traced {
  const [traced, setTraced] = useState<Traced>({ lines: [], problem: undefined });
  useEffect(() => {
    if (!on) return undefined;
    const gone = new AbortController();
    const ring = new RingBuffer<NumberedLine>(MOST_LINES);
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

/** Closed while the page is hidden, opened again when it is visible. */
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

/** An answer that is asked for again and again while somebody looks at it. */
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../net/problem.js";
import { ask } from "../net/request.js";
import { pause, untilVisible } from "./visibility.js";

export interface Polled<T> {
  /** The last that was given. */
  readonly value: T | undefined;
  /** Why there is no newer one. */
  readonly problem: Problem | undefined;
}

/** For what is not there: another process may get the pid of one that has ended. */
const SELDOM = 3_000;

export function usePolled<T>(path: string, every: number): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ value: undefined, problem: undefined });
  useEffect(() => {
    const gone = new AbortController();
    void poll<T>(path, every, gone.signal, (answer) => {
      setPolled((before) => ({
        value: answer.ok ? answer.value : before.value,
        problem: answer.ok ? undefined : answer.problem,
      }));
    });
    return () => gone.abort();
  }, [path]);
  return polled;
}

async function poll<T>(
  path: string,
  every: number,
  signal: AbortSignal,
  told: (answer: Awaited<ReturnType<typeof ask<T>>>) => void,
): Promise<void> {
  for (;;) {
    await untilVisible();
    const answer = await ask<T>(path);
    if (signal.aborted) return;
    told(answer);
    await pause(!answer.ok && answer.problem.kind === "missing" ? SELDOM : every, signal);
    if (signal.aborted) return;
  }
}

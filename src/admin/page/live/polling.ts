/** Polls a path while a component that shows it is mounted. */
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../net/problem.js";
import { ask } from "../net/request.js";
import { pause, untilVisible } from "./visibility.js";

export interface Polled<T> {
  /** The last value received. */
  readonly value: T | undefined;
  /** Why the last request failed. */
  readonly problem: Problem | undefined;
}

/** Interval after a 404: a pid may be reused by a new process. */
const MISSING_INTERVAL = 3_000;

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
  onAnswer: (answer: Awaited<ReturnType<typeof ask<T>>>) => void,
): Promise<void> {
  for (;;) {
    await untilVisible();
    const answer = await ask<T>(path);
    if (signal.aborted) return;
    onAnswer(answer);
    await pause(!answer.ok && answer.problem.kind === "missing" ? MISSING_INTERVAL : every, signal);
    if (signal.aborted) return;
  }
}

/** Whether anybody can see the page: while it is hidden nothing is asked. */
import { cell } from "./observable.js";

const seen = () => document.visibilityState === "visible";

export const visible = cell(seen());

document.addEventListener("visibilitychange", () => visible.set(seen()));

/** Aborted when the page is hidden or `signal` is aborted. */
export function whileVisible(signal: AbortSignal): AbortSignal {
  const hidden = new AbortController();
  const end = visible.watch(() => {
    if (visible.get()) return;
    end();
    hidden.abort();
  });
  signal.addEventListener("abort", end);
  return AbortSignal.any([signal, hidden.signal]);
}

/** Resolves once the page can be seen. */
export function untilVisible(): Promise<void> {
  if (visible.get()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = visible.watch(() => {
      end();
      resolve();
    });
  });
}

/** Resolves after so many milliseconds, or when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Visibility of the page: while it is hidden, no request is made. */
import { observable } from "./observable.js";

const seen = () => document.visibilityState === "visible";

export const visible = observable(seen());

document.addEventListener("visibilitychange", () => visible.set(seen()));

/** A signal that is aborted when the page is hidden or `signal` is aborted. */
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

/** Resolves once the page is visible. */
export function untilVisible(): Promise<void> {
  if (visible.get()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = visible.watch(() => {
      end();
      resolve();
    });
  });
}

/** Resolves after `ms` milliseconds or when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

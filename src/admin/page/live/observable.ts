/** Observable value: components that read it with `useObservable` are rendered again when it changes. */
import { useEffect, useState } from "preact/hooks";

export interface Observable<T> {
  get(): T;
  set(value: T): void;
  /** @returns the function that stops watching */
  watch(onChange: () => void): () => void;
}

export function observable<T>(initial: T): Observable<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const onChange of watchers) onChange();
    },
    watch(onChange) {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
  };
}

export function useObservable<T>(source: Observable<T>): T {
  const [, redraw] = useState({});
  useEffect(() => source.watch(() => redraw({})), [source]);
  return source.get();
}

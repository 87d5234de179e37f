/** A value that parts of the page watch: who reads it is drawn again when it is another one. */
import { useEffect, useState } from "preact/hooks";

export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** @returns what ends it */
  watch(told: () => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const told of watchers) told();
    },
    watch(told) {
      watchers.add(told);
      return () => watchers.delete(told);
    },
  };
}

export function useCell<T>(source: Cell<T>): T {
  const [, redraw] = useState({});
  useEffect(() => source.watch(() => redraw({})), [source]);
  return source.get();
}

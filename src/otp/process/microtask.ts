/** `queueMicrotask` makes a resource for `async_hooks` at each call; a promise does the same and costs a third. */
const now = Promise.resolve();

/** Runs `task` when the present piece of work is done. What it throws is a rejection that nobody handles. */
export function soon(task: () => void): void {
  void now.then(task);
}

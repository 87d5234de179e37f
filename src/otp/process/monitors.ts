/** Monitors: how a process, or code that is none, hears once that a process has ended. */
import { type ExitReason, ProcessExit } from "./exit-reason.js";
import type { Ringed } from "./linked-list.js";
import type { Linked } from "./links.js";
import type { Pid } from "./pid.js";
import { processOf } from "./process-table.js";

/** Who is told: a process by a message, code that is none by a call. */
type Watcher = Linked | ((down: DownMessage) => void);

/** Names one call of `monitor`. All that watch one process stand in a ring. */
export class MonitorRef implements Ringed<MonitorRef> {
  /** @internal */ readonly target: Linked | undefined;
  /** @internal */ readonly watcher: Watcher | undefined;
  /** @internal */ before: MonitorRef | undefined = undefined;
  /** @internal */ behind: MonitorRef | undefined = undefined;
  constructor(target: Linked | undefined, watcher: Watcher | undefined) {
    this.target = target;
    this.watcher = watcher;
  }

  /** What is shown of it: no ring, and nobody's state. */
  toJSON(): unknown {
    return { target: this.target?.pid };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON();
  }

  /** @internal The target has ended. */
  tell(down: DownMessage): void {
    if (typeof this.watcher === "function") this.watcher(down);
    else this.watcher?.receiveDown(down);
  }
}

/** `{'DOWN', Ref, process, Pid, Reason}`. */
export class DownMessage {
  readonly down: MonitorRef;
  readonly pid: Pid;
  readonly reason: ExitReason;
  constructor(ref: MonitorRef, pid: Pid, reason: ExitReason) {
    this.down = ref;
    this.pid = pid;
    this.reason = reason;
  }
}

/** @internal Begins a watch; of a process that has ended already it is over in a moment, with `noproc`. */
export function addMonitor(pid: Pid, watcher: Watcher): MonitorRef {
  const ref = new MonitorRef(processOf(pid), watcher);
  if (ref.target) ref.target.addWatcher(ref);
  else queueMicrotask(() => notify(ref, pid, "noproc"));
  return ref;
}

/** @internal */
export function dropMonitor(ref: MonitorRef): void {
  ref.target?.dropWatcher(ref);
}

/** @internal */
export function notify(ref: MonitorRef, pid: Pid, reason: ExitReason): void {
  try {
    ref.tell(new DownMessage(ref, pid, reason));
  } catch (error) {
    // The error of code that is no process: it must not become that of the process which happens to end.
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Calls `watcher` when the process has ended; for code that is not itself a process. Returns what ends the watch. */
export function onDown(pid: Pid, watcher: (reason: ExitReason) => void): () => void {
  let over = false;
  const ref = addMonitor(pid, (down) => {
    if (!over) watcher(down.reason);
  });
  return () => {
    over = true;
    dropMonitor(ref);
  };
}

/**
 * What a promise becomes, if the process does not end before.
 * @throws ProcessExit with the reason for which it ended
 */
export function beforeDown<T>(pid: Pid, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onDown(pid, (reason) => reject(new ProcessExit(reason)));
    promise.finally(forget).then(resolve, reject);
  });
}

/** Monitors: a process gets one `DownMessage` when a monitored process exits; other code gets one callback. */
import { type ExitReason, ProcessExit } from "../exit-reason.js";
import type { ListNode } from "../linked-list.js";
import type { LocalProcess, Pid } from "../pid.js";
import { lookup } from "../process-table.js";

/** A process that can be monitored: every one. */
export interface MonitorTarget extends LocalProcess {
  attachMonitor(ref: MonitorRef): void;
  detachMonitor(ref: MonitorRef): void;
}

/** A process, which gets a message, or a callback. */
type Watcher = { receiveDown(down: DownMessage): void } | ((down: DownMessage) => void);

/** Identifies one call of `monitor`. All monitors of a process are one linked list. */
export class MonitorRef implements ListNode<MonitorRef> {
  /** @internal */ readonly target: MonitorTarget | undefined;
  /** @internal */ readonly watcher: Watcher | undefined;
  /** @internal */ listPrev: MonitorRef | undefined = undefined;
  /** @internal */ listNext: MonitorRef | undefined = undefined;
  constructor(target: MonitorTarget | undefined, watcher: Watcher | undefined) {
    this.target = target;
    this.watcher = watcher;
  }

  /** For logs and `util.inspect`: without list neighbours and without the state of processes. */
  toJSON(): unknown {
    return { target: this.target?.pid };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON();
  }

  /** @internal The target has exited. */
  receiveDown(down: DownMessage): void {
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

/** @internal Starts a monitor. When the process has already exited, `noproc` follows in a microtask. */
export function addMonitor(pid: Pid, watcher: Watcher): MonitorRef {
  // Only `Process` adds itself to the table, and every process can be monitored.
  const ref = new MonitorRef(lookup(pid) as MonitorTarget | undefined, watcher);
  if (ref.target) ref.target.attachMonitor(ref);
  else queueMicrotask(() => deliverDown(ref, pid, "noproc"));
  return ref;
}

/** @internal */
export function removeMonitor(ref: MonitorRef): void {
  ref.target?.detachMonitor(ref);
}

/** @internal */
export function deliverDown(ref: MonitorRef, pid: Pid, reason: ExitReason): void {
  try {
    ref.receiveDown(new DownMessage(ref, pid, reason));
  } catch (error) {
    // The error of a callback, which is not a process: it must not crash the process that is exiting.
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Calls `callback` when the process has exited; for code that is not itself a process. Returns a function that cancels. */
export function onDown(pid: Pid, callback: (reason: ExitReason) => void): () => void {
  let cancelled = false;
  const ref = addMonitor(pid, (down) => {
    if (!cancelled) callback(down.reason);
  });
  return () => {
    cancelled = true;
    removeMonitor(ref);
  };
}

/**
 * Settles as the promise does, unless the process exits first.
 * @throws ProcessExit with the exit reason
 */
export function rejectOnDown<T>(pid: Pid, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = onDown(pid, (reason) => reject(new ProcessExit(reason)));
    promise.finally(cancel).then(resolve, reject);
  });
}

/**
 * Links and monitors of a process, and the notifications sent when it exits.
 *
 * The link to the parent is a flag, and the link to a child a place in a linked list: most processes have no other
 * links, and tables for them would cost more than the process. `Process` is the only subclass: one class in two files.
 */

import { InspectableProcess } from "../../sys/inspectable.js";
import type { ExitReason } from "../exit-reason.js";
import { appendNode, type ListNode, listNodes, removeNode } from "../linked-list.js";
import type { Pid } from "../pid.js";
import { addMonitor, type DownMessage, deliverDown, type MonitorRef, removeMonitor } from "./monitors.js";

/** Allocated when first needed: most processes have no relation but to their parent. */
class Relations {
  /** The registered name. */
  name: string | undefined = undefined;
  /** LinkedProcess children: the head of the list. */
  children: LinkedProcess | undefined = undefined;
  /** LinkedProcess processes that are neither parent nor children. */
  links: Set<LinkedProcess> | undefined = undefined;
  /** Monitors of other processes on this one: the head of the list. */
  monitoredBy: MonitorRef | undefined = undefined;
  /** Monitors of this process on other processes. */
  monitors: Set<MonitorRef> | undefined = undefined;
}

export abstract class LinkedProcess extends InspectableProcess implements ListNode<LinkedProcess> {
  readonly pid: Pid;
  /** The process that started it: for reports, and for OTP's rule that the exit of the parent is always obeyed. */
  readonly parent: LinkedProcess | undefined;
  /** @internal The neighbours among the linked children of its parent. */
  listPrev: LinkedProcess | undefined = undefined;
  /** @internal */ listNext: LinkedProcess | undefined = undefined;
  #relations: Relations | undefined = undefined;

  constructor(parent: LinkedProcess | undefined, pid: Pid) {
    super();
    this.pid = pid;
    this.parent = parent;
  }

  /** For logs and `util.inspect`: without list neighbours and without state. */
  toJSON(): unknown {
    return { pid: this.pid, label: this.label };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON();
  }

  /** Handles an exit signal. @param byLink whether it was sent by the exit of a linked process */
  abstract receiveExit(from: Pid, reason: ExitReason, byLink?: boolean): void;
  /** @internal Adds a message that must not be lost to the mailbox, whatever its bound. */
  abstract enqueue(message: unknown): void;

  // -- links ------------------------------------------------------------------------------------------

  /** Links both processes. A link to an exited process is an exit signal `noproc`. */
  link(other: LinkedProcess): void {
    if (other === this || !this.alive) return;
    if (!other.alive) return this.receiveExit(other.pid, "noproc", true);
    this.addLink(other);
    other.addLink(this);
  }

  unlink(other: LinkedProcess): void {
    this.removeLink(other);
    other.removeLink(this);
  }

  private addLink(other: LinkedProcess): void {
    if (other === this.parent) this.linkToParent(other);
    else if (other.parent !== this) (this.relations.links ??= new Set()).add(other);
  }

  private linkToParent(parent: LinkedProcess): void {
    if (this.linkedToParent) return;
    this.linkedToParent = true;
    const { relations } = parent;
    relations.children = appendNode(relations.children, this);
  }

  private removeLink(other: LinkedProcess): void {
    if (other !== this.parent) this.#relations?.links?.delete(other);
    else if (this.linkedToParent) {
      this.unlinkFromParent(other);
      other.childUnlinked(this);
    }
  }

  private unlinkFromParent(parent: LinkedProcess): void {
    this.linkedToParent = false;
    const { relations } = parent;
    relations.children = removeNode(relations.children, this);
  }

  private get relations(): Relations {
    return (this.#relations ??= new Relations());
  }

  /** @internal A linked child has exited. */
  childExited(child: LinkedProcess, reason: ExitReason): void {
    this.receiveExit(child.pid, reason, true);
  }

  /** @internal A child was unlinked: its exit will not be signalled. */
  childUnlinked(_child: LinkedProcess): void {}

  /** @internal LinkedProcess children, oldest first. */
  get linkedChildren(): LinkedProcess[] {
    return listNodes(this.#relations?.children);
  }

  get links(): Pid[] {
    const parents: LinkedProcess[] = this.linkedToParent && this.parent ? [this.parent] : [];
    const linked = [...parents, ...this.linkedChildren, ...(this.#relations?.links ?? [])];
    return linked.map((process) => process.pid);
  }

  // -- monitors ---------------------------------------------------------------------------------------

  /** Monitors another process: one `DownMessage` when it exits, at once with `noproc` when it already has. */
  monitor(pid: Pid): MonitorRef {
    const ref = addMonitor(pid, this);
    (this.relations.monitors ??= new Set()).add(ref);
    return ref;
  }

  demonitor(ref: MonitorRef): void {
    this.#relations?.monitors?.delete(ref);
    removeMonitor(ref);
  }

  /** @internal A monitored process exited: the message goes into the mailbox, unless `demonitor` came first. */
  receiveDown(down: DownMessage): void {
    if (this.#relations?.monitors?.delete(down.down)) this.enqueue(down);
  }

  /** Number of monitors it holds, as `process_info(monitors)`. */
  get monitorCount(): number {
    return this.#relations?.monitors?.size ?? 0;
  }

  /** Number of monitors on it, as `process_info(monitored_by)`. */
  get monitoredByCount(): number {
    return listNodes(this.#relations?.monitoredBy).length;
  }

  /** @internal */ attachMonitor(ref: MonitorRef): void {
    this.relations.monitoredBy = appendNode(this.#relations?.monitoredBy, ref);
  }
  /** @internal */ detachMonitor(ref: MonitorRef): void {
    if (this.#relations) this.#relations.monitoredBy = removeNode(this.#relations.monitoredBy, ref);
  }

  /** @internal The name given by `register`. */
  get registeredName(): string | undefined {
    return this.#relations?.name;
  }
  set registeredName(name: string | undefined) {
    this.relations.name = name;
  }

  // -- exit -------------------------------------------------------------------------------------------

  /** @internal Sends exit signals to links and `DownMessage`s to monitors, each once; links first. */
  notifyLinksAndMonitors(reason: ExitReason): void {
    const relations = this.#relations;
    if (relations !== undefined) this.notifyLinks(relations, reason);
    if (this.linkedToParent) {
      const parent = this.parent as LinkedProcess;
      this.unlinkFromParent(parent);
      parent.childExited(this, reason);
    }
    for (let ref = relations?.monitoredBy; ref; ref = relations?.monitoredBy) {
      this.detachMonitor(ref);
      deliverDown(ref, this.pid, reason);
    }
  }

  private notifyLinks(relations: Relations, reason: ExitReason): void {
    for (const ref of relations.monitors ?? []) removeMonitor(ref);
    for (const other of [...this.linkedChildren, ...(relations.links ?? [])]) {
      other.removeLink(this);
      other.receiveExit(this.pid, reason, true);
    }
    relations.links = relations.monitors = undefined;
  }
}

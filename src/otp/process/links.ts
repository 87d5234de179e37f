/**
 * What a process has to do with others: links both ways, monitors one way, and who is told when it ends.
 *
 * The link to the parent is a mark, and that to a child a place in a ring: most processes have no others, and
 * tables for them would cost more than the process. `Process` is the only subclass: two files of one class.
 */

import { Inspected } from "../sys/inspectable.js";
import type { ExitReason } from "./exit-reason.js";
import { enterRing, inRing, leaveRing, type Ringed } from "./linked-list.js";
import { addMonitor, type DownMessage, dropMonitor, type MonitorRef, notify } from "./monitors.js";
import type { Pid } from "./pid.js";
import type { Process } from "./process.js";

/** Made when the first of it comes: of most processes nobody knows but their parent. */
class Relations {
  /** The name it is registered under. */
  name: string | undefined = undefined;
  /** The oldest of its linked children. */
  children: Linked | undefined = undefined;
  /** Linked processes that are neither parent nor children. */
  links: Set<Linked> | undefined = undefined;
  /** The first of those that watch it. */
  monitoredBy: MonitorRef | undefined = undefined;
  /** Those that it watches. */
  monitors: Set<MonitorRef> | undefined = undefined;
}

export abstract class Linked extends Inspected implements Ringed<Linked> {
  readonly pid: Pid;
  /** Who started it, for reports and for OTP's rule that a parent's exit is always obeyed. */
  readonly parent: Process | undefined;
  /** @internal Its neighbours among the linked children of its parent. */
  before: Linked | undefined = undefined;
  /** @internal */ behind: Linked | undefined = undefined;
  #relations: Relations | undefined = undefined;

  constructor(parent: Process | undefined, pid: Pid) {
    super();
    this.pid = pid;
    this.parent = parent;
  }

  /** What is shown of it where it is part of something else: no neighbours, and nobody's state. */
  toJSON(): unknown {
    return { pid: this.pid, label: this.label };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON();
  }

  /** Takes an exit signal. @param byLink whether it came because a linked process ended */
  abstract receiveExit(from: Pid, reason: ExitReason, byLink?: boolean): void;
  /** @internal Puts a message into the mailbox that must not be lost. */
  abstract enqueue(message: unknown): void;

  // -- links ------------------------------------------------------------------------------------------

  /** Links both ways. To a process that has ended it is an exit signal `noproc`, as in Erlang. */
  link(other: Linked): void {
    if (other === this || !this.alive) return;
    if (!other.alive) return this.receiveExit(other.pid, "noproc", true);
    this.addLink(other);
    other.addLink(this);
  }

  unlink(other: Linked): void {
    this.removeLink(other);
    other.removeLink(this);
  }

  private addLink(other: Linked): void {
    if (other === this.parent) this.linkToParent(other);
    else if ((other.parent as Linked | undefined) !== this) (this.relations.links ??= new Set()).add(other);
  }

  private linkToParent(parent: Linked): void {
    if (this.linkedToParent) return;
    this.linkedToParent = true;
    const { relations } = parent;
    relations.children = enterRing(relations.children, this as Linked);
  }

  private removeLink(other: Linked): void {
    if (other !== this.parent) this.#relations?.links?.delete(other);
    else if (this.linkedToParent) {
      this.unlinkFromParent(other);
      other.childUnlinked(this);
    }
  }

  private unlinkFromParent(parent: Linked): void {
    this.linkedToParent = false;
    const { relations } = parent;
    relations.children = leaveRing(relations.children, this as Linked);
  }

  private get relations(): Relations {
    return (this.#relations ??= new Relations());
  }

  /** @internal A linked child has ended. */
  childEnded(child: Linked, reason: ExitReason): void {
    this.receiveExit(child.pid, reason, true);
  }

  /** @internal Its link was taken away, so that its end will not be heard of by that. */
  childUnlinked(_child: Linked): void {}

  /** @internal Linked processes whose parent this one is, oldest first. */
  get linkedChildren(): Linked[] {
    return inRing(this.#relations?.children);
  }

  get links(): Pid[] {
    const parents: Linked[] = this.linkedToParent && this.parent ? [this.parent] : [];
    const linked = [...parents, ...this.linkedChildren, ...(this.#relations?.links ?? [])];
    return linked.map((process) => process.pid);
  }

  // -- monitors ---------------------------------------------------------------------------------------

  /** Watches another process: a `DownMessage` comes once, at once (`noproc`) when it has already ended. */
  monitor(pid: Pid): MonitorRef {
    const ref = addMonitor(pid, this);
    (this.relations.monitors ??= new Set()).add(ref);
    return ref;
  }

  demonitor(ref: MonitorRef): void {
    this.#relations?.monitors?.delete(ref);
    dropMonitor(ref);
  }

  /** @internal A watch is over. Unless it was taken back meanwhile, the message goes into the mailbox. */
  receiveDown(down: DownMessage): void {
    if (this.#relations?.monitors?.delete(down.down)) this.enqueue(down);
  }

  /** How many watches it holds, as `process_info(monitors)`. */
  get monitorCount(): number {
    return this.#relations?.monitors?.size ?? 0;
  }

  /** How many watch it, as `process_info(monitored_by)`. */
  get monitoredByCount(): number {
    return inRing(this.#relations?.monitoredBy).length;
  }

  /** @internal */ addWatcher(ref: MonitorRef): void {
    this.relations.monitoredBy = enterRing(this.#relations?.monitoredBy, ref);
  }
  /** @internal */ dropWatcher(ref: MonitorRef): void {
    if (this.#relations) this.#relations.monitoredBy = leaveRing(this.#relations.monitoredBy, ref);
  }

  /** @internal The name it is registered under (`register`). */
  get registeredName(): string | undefined {
    return this.#relations?.name;
  }
  set registeredName(name: string | undefined) {
    this.relations.name = name;
  }

  // -- the end ----------------------------------------------------------------------------------------

  /** @internal Tells all of them, each once. */
  tellLinksAndMonitors(reason: ExitReason): void {
    const relations = this.#relations;
    if (relations !== undefined) this.tellLinks(relations, reason);
    if (this.linkedToParent) {
      const parent = this.parent as Linked;
      this.unlinkFromParent(parent);
      parent.childEnded(this, reason);
    }
    for (let ref = relations?.monitoredBy; ref; ref = relations?.monitoredBy) {
      this.dropWatcher(ref);
      notify(ref, this.pid, reason);
    }
  }

  private tellLinks(relations: Relations, reason: ExitReason): void {
    for (const ref of relations.monitors ?? []) dropMonitor(ref);
    for (const other of [...this.linkedChildren, ...(relations.links ?? [])]) {
      other.removeLink(this);
      other.receiveExit(this.pid, reason, true);
    }
    relations.links = relations.monitors = undefined;
  }
}

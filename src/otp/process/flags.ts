/**
 * Process flags, packed into one integer: as separate fields they would cost 8 bytes each per process, and a
 * connection is one of many thousands.
 */

/** The process has not exited. */
export const ALIVE = 1 << 0;
/** A handler's promise is pending: the mailbox waits. */
export const BUSY = 1 << 1;
/** In the scheduler's run queue. */
const SCHEDULED = 1 << 2;
const TRAP_EXIT = 1 << 3;
const LINKED_TO_PARENT = 1 << 4;
/** Counted by its dynamic supervisor by this flag alone, without an entry in a table. */
const SUPERVISED = 1 << 5;
/** On the way to its exit: handles no more messages. */
const STOPPING = 1 << 6;
/** A state is being left: a machine that is stopped meanwhile does not leave it again. */
const LEAVING = 1 << 7;
/** The first bit that a subclass may define. V8 stores 31 bits inside the object; a larger number is a heap object. */
export const FIRST_SUBCLASS_FLAG = 1 << 16;

export abstract class ProcessFlags {
  /** Protected, not `#private`: `Connection` reads it in its own copy of the accessors. */
  protected flagBits = ALIVE;

  protected hasFlag(flags: number): boolean {
    return (this.flagBits & flags) !== 0;
  }

  protected setFlag(flags: number, on = true): void {
    if (on) this.flagBits |= flags;
    else this.flagBits &= ~flags;
  }

  get alive(): boolean {
    return this.hasFlag(ALIVE);
  }

  protected set alive(alive: boolean) {
    this.setFlag(ALIVE, alive);
  }

  /** Whether a handler's promise is pending. */
  get busy(): boolean {
    return this.hasFlag(BUSY);
  }

  set busy(busy: boolean) {
    this.setFlag(BUSY, busy);
  }

  /** @internal Whether the process is in the scheduler's run queue. */
  get scheduled(): boolean {
    return this.hasFlag(SCHEDULED);
  }

  set scheduled(scheduled: boolean) {
    this.setFlag(SCHEDULED, scheduled);
  }

  /** As in `process_flag(trap_exit, true)`: exit signals become messages. */
  get trapExit(): boolean {
    return this.hasFlag(TRAP_EXIT);
  }

  set trapExit(trapExit: boolean) {
    this.setFlag(TRAP_EXIT, trapExit);
  }

  /** @internal */
  get linkedToParent(): boolean {
    return this.hasFlag(LINKED_TO_PARENT);
  }

  protected set linkedToParent(linked: boolean) {
    this.setFlag(LINKED_TO_PARENT, linked);
  }

  /** @internal Whether a dynamic supervisor keeps this child without a table entry. */
  get supervised(): boolean {
    return this.hasFlag(SUPERVISED);
  }

  set supervised(supervised: boolean) {
    this.setFlag(SUPERVISED, supervised);
  }

  /** Whether the process is about to exit and handles no more messages. */
  protected get stopping(): boolean {
    return this.hasFlag(STOPPING);
  }

  protected set stopping(stopping: boolean) {
    this.setFlag(STOPPING, stopping);
  }

  /** Whether a state's `leave` is running. */
  protected get leaving(): boolean {
    return this.hasFlag(LEAVING);
  }

  protected set leaving(leaving: boolean) {
    this.setFlag(LEAVING, leaving);
  }
}

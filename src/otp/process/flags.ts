/**
 * What is true or false of a process, in one number: as fields of their own such facts would be 8 bytes each of
 * every process, and a connection is one of many thousands.
 */
export const ALIVE = 1;
export const BUSY = 2;
const SCHEDULED = 4;
const TRAP_EXIT = 8;
const LINKED_TO_PARENT = 16;
const SUPERVISED = 32;
const STOPPING = 64;
/** Above these are marks of what a process stands for, which are its own. V8 keeps 31 bits in the object itself. */
export const FIRST_OWN_MARK = 1 << 16;

export abstract class Marked {
  /** Not `#marks`: a kind of which there are very many reads them in code of its own. */
  protected marks = ALIVE;

  protected is(marks: number): boolean {
    return (this.marks & marks) !== 0;
  }

  protected mark(marks: number, on = true): void {
    if (on) this.marks |= marks;
    else this.marks &= ~marks;
  }

  get alive(): boolean {
    return this.is(ALIVE);
  }

  protected set alive(alive: boolean) {
    this.mark(ALIVE, alive);
  }

  /** Whether a handler's promise is outstanding. */
  get busy(): boolean {
    return this.is(BUSY);
  }

  set busy(busy: boolean) {
    this.mark(BUSY, busy);
  }

  /** @internal Whether it stands in the scheduler's line. */
  get scheduled(): boolean {
    return this.is(SCHEDULED);
  }

  set scheduled(scheduled: boolean) {
    this.mark(SCHEDULED, scheduled);
  }

  /** As in `process_flag(trap_exit, true)`: exit signals become messages. */
  get trapExit(): boolean {
    return this.is(TRAP_EXIT);
  }

  set trapExit(trapExit: boolean) {
    this.mark(TRAP_EXIT, trapExit);
  }

  /** @internal */
  get linkedToParent(): boolean {
    return this.is(LINKED_TO_PARENT);
  }

  protected set linkedToParent(linked: boolean) {
    this.mark(LINKED_TO_PARENT, linked);
  }

  /** @internal Whether its parent is a supervisor that needs to know no more of it. */
  get supervised(): boolean {
    return this.is(SUPERVISED);
  }

  set supervised(supervised: boolean) {
    this.mark(SUPERVISED, supervised);
  }

  /** Whether it is on its way to its end, and handles no message any more. */
  protected get stopping(): boolean {
    return this.is(STOPPING);
  }

  protected set stopping(stopping: boolean) {
    this.mark(STOPPING, stopping);
  }
}

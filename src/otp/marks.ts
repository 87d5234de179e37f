/**
 * What is true or false of a process, in one number: as fields of their own such facts would be 8 bytes each of
 * every process, and a connection is one of many thousands.
 */
const ALIVE = 1;
const BUSY = 2;
const SCHEDULED = 4;
const TRAP_EXIT = 8;
const LINKED_TO_PARENT = 16;
const SUPERVISED = 32;
const STOPPING = 64;
/** Above these are marks of what a process stands for, which are its own. V8 keeps 31 bits in the object itself. */
export const FIRST_OWN_MARK = 1 << 16;

export abstract class Marked {
  #marks = ALIVE;

  protected is(marks: number): boolean {
    return (this.#marks & marks) !== 0;
  }

  protected mark(marks: number): void {
    this.#marks |= marks;
  }

  protected unmark(marks: number): void {
    this.#marks &= ~marks;
  }

  private set(mark: number, on: boolean): void {
    if (on) this.#marks |= mark;
    else this.#marks &= ~mark;
  }

  get alive(): boolean {
    return (this.#marks & ALIVE) !== 0;
  }

  protected set alive(alive: boolean) {
    this.set(ALIVE, alive);
  }

  /** Whether a handler's promise is outstanding. */
  get busy(): boolean {
    return (this.#marks & BUSY) !== 0;
  }

  set busy(busy: boolean) {
    this.set(BUSY, busy);
  }

  /** @internal Whether it stands in the scheduler's line. */
  get scheduled(): boolean {
    return (this.#marks & SCHEDULED) !== 0;
  }

  set scheduled(scheduled: boolean) {
    this.set(SCHEDULED, scheduled);
  }

  /** As in `process_flag(trap_exit, true)`: exit signals become messages. */
  get trapExit(): boolean {
    return (this.#marks & TRAP_EXIT) !== 0;
  }

  set trapExit(trapExit: boolean) {
    this.set(TRAP_EXIT, trapExit);
  }

  /** @internal */
  get linkedToParent(): boolean {
    return (this.#marks & LINKED_TO_PARENT) !== 0;
  }

  protected set linkedToParent(linked: boolean) {
    this.set(LINKED_TO_PARENT, linked);
  }

  /** @internal Whether its parent is a supervisor that needs to know no more of it. */
  get supervised(): boolean {
    return (this.#marks & SUPERVISED) !== 0;
  }

  set supervised(supervised: boolean) {
    this.set(SUPERVISED, supervised);
  }

  /** Whether it is on its way to its end, and handles no message any more. */
  protected get stopping(): boolean {
    return (this.#marks & STOPPING) !== 0;
  }

  protected set stopping(stopping: boolean) {
    this.set(STOPPING, stopping);
  }
}

/**
 * Process identifiers. A pid prints as `<worker.serial>`: which OS process of the cluster, and which of its
 * processes. It may be kept for ever: once the process has ended it is an address where nobody lives.
 */
import type { Process } from "./process.js";

/** Which OS process this is: 0 is the primary (and any program that serves without a cluster). */
let here = 0;
let lastSerial = 0;

export class Pid {
  readonly worker: number;
  readonly serial: number;
  /** Private, so that a pid inside a message that goes to another OS process does not drag its process along. */
  #process: Process | undefined = undefined;

  constructor(worker: number, serial: number) {
    this.worker = worker;
    this.serial = serial;
  }

  /** The process itself while it lives in this OS process. @internal */
  get process(): Process | undefined {
    return this.#process;
  }
  /** @internal */
  set process(process: Process | undefined) {
    this.#process = process;
  }

  /** What the process calls itself, or `""` when it is not (or no longer) here. */
  get label(): string {
    return this.process?.label ?? "";
  }

  /** Whether both name the same process: pids that came over from another OS process are not identical objects. */
  equals(other: Pid): boolean {
    return this.worker === other.worker && this.serial === other.serial;
  }

  toString(): string {
    return `<${this.worker}.${this.serial}>`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Says which worker this OS process is, and after which serial its pids begin. Once, before any process is started. */
export function becomeWorker(worker: number, serial = 0): void {
  here = worker;
  lastSerial = serial;
}

/** The number of this OS process in the cluster. */
export function thisWorker(): number {
  return here;
}

/** The serial of the newest process here. */
export function newestSerial(): number {
  return lastSerial;
}

/** A pid for a process that starts here now. */
export function newPid(): Pid {
  return new Pid(here, ++lastSerial);
}

/** Reads `<1.17>` (or `1.17`). `undefined` when it is no pid. */
export function parsePid(text: string): Pid | undefined {
  const match = /^<?(0|[1-9]\d{0,5})\.([1-9]\d{0,14})>?$/.exec(text.trim());
  return match ? new Pid(Number(match[1]), Number(match[2])) : undefined;
}

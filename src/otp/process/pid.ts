/**
 * Process identifiers, printed as `<worker.serial>`: the OS process of the cluster, and the process in it. A pid may be
 * kept for ever: after the exit, `send` and `exit` to it have no effect.
 */

/** A process as its pid, the process table and the registry see it. `Process` is the only implementation. */
export interface LocalProcess {
  readonly pid: Pid;
  readonly label: string;
  registeredName: string | undefined;
}

/** The number of this OS process: 0 is the primary, and any program that serves without a cluster. */
let worker = 0;
let lastSerial = 0;

export class Pid {
  readonly worker: number;
  readonly serial: number;
  /** The server, where it is another one of the cluster: see `RemotePid`. */
  declare readonly node: string | undefined;
  /** Private, so that a pid in a message to another OS process is serialized without its process. */
  #process: LocalProcess | undefined = undefined;

  constructor(worker: number, serial: number) {
    this.worker = worker;
    this.serial = serial;
  }

  /** The process, while it lives in this OS process. @internal */
  get process(): LocalProcess | undefined {
    // A restored pid (`restorePid`) has no such field.
    return #process in this ? this.#process : undefined;
  }
  /** @internal */
  set process(process: LocalProcess | undefined) {
    this.#process = process;
  }

  /** The label of the process, or `""` when it does not live in this OS process. */
  get label(): string {
    return this.process?.label ?? "";
  }

  /** Whether both name the same process: pids that came over from another OS process are not identical objects. */
  equals(other: Pid): boolean {
    return this.worker === other.worker && this.serial === other.serial && this.node === other.node;
  }

  toString(): string {
    return `<${this.worker}.${this.serial}>`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** A pid of another server of the cluster, printed as `<3.17@gw2>`. `send` reaches it; links and monitors do not. */
export class RemotePid extends Pid {
  override readonly node: string;

  constructor(worker: number, serial: number, node: string) {
    super(worker, serial);
    this.node = node;
  }

  override toString(): string {
    return `<${this.worker}.${this.serial}@${this.node}>`;
  }
}

/** The pid of a pair, with its server where that is another one. */
export function pidFrom([worker, serial, node]: readonly [
  worker: number,
  serial: number,
  node?: string,
]): Pid {
  return node === undefined ? new Pid(worker, serial) : new RemotePid(worker, serial, node);
}

/** Sets the worker number of this OS process and the serial after which its pids begin. Once, before any process starts. */
export function becomeWorker(number: number, serial = 0): void {
  worker = number;
  lastSerial = serial;
}

/** The worker number of this OS process. */
export function thisWorker(): number {
  return worker;
}

/** Whether a process with this pid lives in this OS process, or did. */
export function isLocal(pid: Pid): boolean {
  return pid.worker === worker && pid.node === undefined;
}

/** The serial of the newest process of this OS process. */
export function newestSerial(): number {
  return lastSerial;
}

/** A pid for a new local process. */
export function newPid(): Pid {
  return new Pid(worker, ++lastSerial);
}

/**
 * Makes what is left of a pid in a message from another OS process, a plain object with its two numbers, a `Pid`
 * again. In place, so that it need not be searched for in the message.
 * @throws TypeError when it is no such object
 */
export function restorePid(copy: unknown): void {
  const { worker, serial, node } = (copy ?? {}) as Partial<Pid>;
  if (typeof copy !== "object" || !Number.isSafeInteger(worker) || !Number.isSafeInteger(serial))
    throw new TypeError("not a pid");
  Object.setPrototypeOf(copy, typeof node === "string" ? RemotePid.prototype : Pid.prototype);
}

/** Parses `<1.17>` or `1.17`; `undefined` for any other text. */
export function parsePid(text: string): Pid | undefined {
  const match = /^<?(0|[1-9]\d{0,5})\.([1-9]\d{0,14})>?$/.exec(text.trim());
  return match ? new Pid(Number(match[1]), Number(match[2])) : undefined;
}

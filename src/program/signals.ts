/**
 * Signal handlers of the program, installed before any other module is loaded: as process 1 (a container without an
 * init) a process ignores every signal that it has no handler for, so SIGTERM during the start would be lost.
 *
 * The handlers stay, only what they do changes: a signal that has arrived is lost when its last handler is removed
 * before the event loop has read it, even if another is added at once.
 */

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR2"] as const;
const NUMBERS: Readonly<Record<HandledSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGUSR2: 12 };

export type HandledSignal = (typeof SIGNALS)[number];
type Action = (signal: HandledSignal) => void;

let action: Action = () => {};
let exit: (code: number) => void = (code) => process.exit(code);

/** First actions: a worker ignores signals, because Ctrl-C and pm2 signal the whole process group and the primary decides. */
const FIRST: Readonly<Record<"worker" | "start" | "command", Action>> = {
  worker: () => {},
  start: stopStart,
  command: endBySignal,
};

/** First statement of the program. */
export function installSignalHandlers(role: keyof typeof FIRST): void {
  // On SIGUSR1 node would open its inspector.
  process.on("SIGUSR1", () => {});
  action = FIRST[role];
  for (const signal of SIGNALS) process.on(signal, () => action(signal));
}

/** Sets what signals do from now on. */
export function setSignalAction(next: Action): void {
  action = next;
}

/** Sets how a start ends that is asked to: threads of the user may run by then. */
export function setStartExit(next: typeof exit): void {
  exit = next;
}

/** While the program is being started: SIGTERM and SIGINT end it with exit code 0, the others are ignored. */
export function stopStart(signal: HandledSignal): void {
  if (signal === "SIGTERM" || signal === "SIGINT") exit(0);
}

/** The default action. Where the kernel ignores it, as process 1, the exit code says the same. */
export function endBySignal(signal: HandledSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exit(128 + NUMBERS[signal]);
}

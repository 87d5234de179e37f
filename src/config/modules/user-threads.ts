/**
 * Threads in which a user's module is loaded. At its exit node waits for every thread, and cannot end one that waits in
 * a synchronous call: a child process that does not return, a FIFO without a writer. The program would hang behind its
 * last line, deaf to signals.
 */
import { createRequire } from "node:module";
import type { Worker } from "node:worker_threads";
import { clock } from "../../otp/time/clock.js";
import { exitModule } from "./exit-module.js";

/** Global in Node; the types are those of browsers, which this project does not include. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

const running = new Set<Worker>();
/** Milliseconds that a thread has to end. */
const END_WITHIN = 1_000;

/** Remembers the thread until it ends. */
export function addUserThread(thread: Worker): void {
  running.add(thread);
  thread.once("exit", () => running.delete(thread));
}

/** Ends the program: at once where no thread runs, and without `exit` handlers where one cannot be ended. */
export async function exitProgram(code: number): Promise<void> {
  if (running.size > 0 && !(await endThreads())) exitAtOnce(code);
  process.exit(code);
}

/** @returns whether all have ended within a second */
function endThreads(): Promise<boolean> {
  const ended = [...running].map((thread) => {
    // Its end is no longer a failure of the module.
    thread.removeAllListeners("exit");
    return thread.terminate();
  });
  const late = new Promise<boolean>((resolve) => void clock.setTimeout(() => resolve(false), END_WITHIN));
  return Promise.race([Promise.all(ended).then(() => true), late]);
}

/** `exit` of the C library, which waits for no thread: WASI is the only public way to it in Node 20. */
function exitAtOnce(code: number): void {
  // Not by import: node warns in the next tick that WASI is experimental.
  const { WASI } = createRequire(import.meta.url)("node:wasi") as typeof import("node:wasi");
  const wasi = new WASI({ version: "preview1", returnOnExit: false });
  const module = new WebAssembly.Module(exitModule(code));
  wasi.start(new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport }));
}

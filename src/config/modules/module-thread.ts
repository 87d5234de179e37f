/**
 * Thread that runs a configuration module: one that loops, or awaits what never comes, cannot keep the program from
 * saying so. Its environment variables are those of the program, which a module may set for the workers.
 */
import { parentPort, SHARE_ENV, Worker, workerData } from "node:worker_threads";
import { clock } from "../../otp/time/clock.js";
import { notLoaded, thrownAt, thrownReason } from "./failure-text.js";
import { importModules } from "./load.js";
import type { UserModules } from "./user-module.js";
import { addUserThread } from "./user-threads.js";

/** What the thread runs. */
interface ModuleRun {
  readonly modules: UserModules;
  /** Name of the file in messages. */
  readonly label: string;
}

/** Result that the thread posts. */
export type ModuleResult =
  | { readonly exports: Readonly<Record<string, unknown>> }
  /** One line. */
  | { readonly wrong: string }
  /** The exports cannot be copied: they have a function, for example. */
  | "not_plain";

/** Milliseconds after which a module that is still running is refused. */
const DEADLINE = 10_000;

/** @param program URL of the entry point of the program */
export function runInThread(program: URL, run: ModuleRun): Promise<ModuleResult> {
  const { label } = run;
  return new Promise((resolve) => {
    const thread = new Worker(program, { workerData: { configModule: run }, env: SHARE_ENV });
    addUserThread(thread);
    const late = notLoaded(label, DEADLINE);
    const end = (result: ModuleResult): void => {
      clock.clearTimeout(timer);
      resolve(result);
      void thread.terminate();
    };
    // Keeps the program alive: without it node exits with 13 when nothing is left to wait for.
    const timer = clock.setTimeout(() => end({ wrong: late }), DEADLINE);
    thread.once("message", end);
    thread.once("error", (error) => end({ wrong: `${label}: ${thrownReason(error)}` }));
    thread.once("exit", (code) =>
      // Node's code for a module that waits for ever.
      end({ wrong: code === 13 ? late : `${label}: ends the program while it is loaded` }),
    );
  });
}

/** Entry point of the thread. */
export async function runModuleThread(): Promise<void> {
  const { modules, label } = (workerData as { configModule: ModuleRun }).configModule;
  const post = (result: ModuleResult): void => parentPort?.postMessage(result);
  try {
    const exports = await importModules(modules, true);
    // A promise is waited for here, where there is a deadline.
    const result = { exports: "default" in exports ? { default: await exports.default } : {} };
    post(isPlain(result.exports.default) ? result : "not_plain");
  } catch (error) {
    post({ wrong: `${thrownAt(error, modules, label)}: ${thrownReason(error)}` });
  }
}

/** Whether it can be copied. @throws what its getters throw */
function isPlain(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    // Read here as the program will read it.
    if (typeof value === "object" && value !== null) Object.entries(value);
    return false;
  }
}

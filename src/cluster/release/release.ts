/**
 * Release: the user's own modules, compiled at start and kept in memory, so that a worker started hours later runs the
 * same code. Packages stay on disk. `drover` is this program. The release is loaded for a trial in a thread first: the
 * primary runs no code of the user.
 */
import { existsSync, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import {
  addUserThread,
  CompileError,
  compileModules,
  didYouMean,
  EXIT,
  notLoaded,
  thrownReason,
} from "../../config/config.js";
import { BUILT_IN, builtInFacts, builtInUrl, isBuiltIn } from "./built-in.js";
import type { ProtocolModule } from "./protocol-module.js";
import type { ProtocolFacts, Trial, Verdict } from "./trial-thread.js";

export interface Release extends ProtocolFacts {
  readonly module: ProtocolModule;
}

/** The release with the lowest maximum of workers, if that is below this number. */
export function limitingRelease(releases: readonly Release[], workers: number): Release | undefined {
  const least = Math.min(...releases.map((release) => release.workers));
  return least < workers ? releases.find((release) => release.workers === least) : undefined;
}

/** The protocol cannot be served. `message` is one line that begins with the file. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.noProtocol) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Makes the release of a protocol.
 * @param named a built-in name, or a path to a .ts or .js module
 * @param exec the program: run as a thread, it loads the module for a trial
 * @param given the options that were given for each listener that serves it
 * @throws ReleaseError when there is no such protocol, it does not compile, load or export one, or refuses its options
 */
export async function prepareRelease(
  named: string,
  cwd: string,
  exec: string,
  given: Trial["given"] = [[]],
): Promise<Release> {
  if (isBuiltIn(named)) {
    const module = { url: builtInUrl(named) };
    const facts = builtInFacts(named, given);
    return facts ? { ...facts, module } : runTrial({ module, label: named, given }, exec);
  }
  const path = findFile(named, cwd);
  const drover = new URL("./index.js", import.meta.url).href;
  const user = await compileModules(path, named, { drover }).catch((error) => {
    if (error instanceof CompileError) throw new ReleaseError(error.message);
    throw error;
  });
  return runTrial({ module: { user }, label: named, given }, exec);
}

function findFile(named: string, cwd: string): string {
  const looksLikePath = named.includes("/") || /\.[cm]?[jt]s$/.test(named);
  const path = isAbsolute(named) ? named : resolve(cwd, named);
  if (existsSync(path) && statSync(path).isFile()) return path;
  if (looksLikePath) throw new ReleaseError(`${named}: no such file`);
  const hint = didYouMean(named, BUILT_IN);
  throw new ReleaseError(
    `no protocol "${named}"${hint}: name ${BUILT_IN.join(", ")}, or a file such as ./my-protocol.ts`,
  );
}

/** Milliseconds after which a module that is still loading is refused. */
const TRIAL_DEADLINE = 20_000;

function runTrial(trial: Trial, exec: string): Promise<Release> {
  const { module, label } = trial;
  return new Promise((resolve, reject) => {
    const thread = new Worker(exec, { workerData: trial, stdout: false });
    addUserThread(thread);
    const signal = AbortSignal.timeout(TRIAL_DEADLINE);
    const refuse = (message: string) => reject(new ReleaseError(message));
    signal.addEventListener("abort", () => {
      refuse(notLoaded(label, TRIAL_DEADLINE));
      void thread.terminate();
    });
    thread.once("message", (verdict: Verdict) => {
      if ("name" in verdict) resolve({ ...verdict, module });
      else reject(new ReleaseError(verdict.wrong, exitCodeOf(verdict)));
      void thread.terminate();
    });
    thread.once("error", (error) => refuse(`${label}: ${thrownReason(error)}`));
    thread.once("exit", () => refuse(`${label}: ends the program while it is loaded`));
  });
}

/** @param verdict without `option` the protocol is wrong */
function exitCodeOf({ option }: Extract<Verdict, { readonly wrong: string }>): number {
  if (option === undefined) return EXIT.noProtocol;
  return option.text ? EXIT.usage : EXIT.badConfig;
}

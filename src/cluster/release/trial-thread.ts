/** The thread in which a protocol is tried out before anything starts: does it load, and is it one? */
import { parentPort, workerData } from "node:worker_threads";
import { thrownAt, thrownReason } from "../../config/config.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import type { ProtocolModule } from "./protocol-module.js";

/** What the thread is given. */
export interface Trial {
  readonly module: ProtocolModule;
  /** How the file is called in messages. */
  readonly label: string;
}

/** What it says. */
export type Verdict = { readonly name: string } | { readonly wrong: string };

export async function runTrial(): Promise<void> {
  const { module: tried, label } = workerData as Trial;
  const say = (verdict: Verdict) => parentPort?.postMessage(verdict);
  try {
    const module = (await import(tried.url)) as { default?: AnyProtocol };
    if (module.default === undefined) {
      return say({ wrong: `${label}: has no default export: write export default defineProtocol({ … })` });
    }
    validateProtocol(module.default);
    say({ name: module.default.name });
  } catch (error) {
    const { bundled } = tried;
    const place = bundled ? thrownAt(error, bundled.name, bundled.map, label) : label;
    say({ wrong: `${place}: ${thrownReason(error)}` });
  }
}

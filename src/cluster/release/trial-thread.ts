/** Trial thread: loads the protocol before the server starts, and checks that the module exports a valid one. */
import { parentPort, workerData } from "node:worker_threads";
import { thrownAt, thrownReason } from "../../config/config.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import type { ProtocolModule } from "./protocol-module.js";

/** Data for the thread. */
export interface Trial {
  readonly module: ProtocolModule;
  /** Name of the file in messages. */
  readonly label: string;
}

/** Result that the thread posts. */
export type Verdict = { readonly name: string } | { readonly wrong: string };

export async function runTrial(): Promise<void> {
  const { module: candidate, label } = workerData as Trial;
  const post = (verdict: Verdict) => parentPort?.postMessage(verdict);
  try {
    const module = (await import(candidate.url)) as { default?: AnyProtocol };
    if (module.default === undefined) {
      return post({ wrong: `${label}: has no default export: write export default defineProtocol({ … })` });
    }
    validateProtocol(module.default);
    post({ name: module.default.name });
  } catch (error) {
    const { bundled } = candidate;
    const position = bundled ? thrownAt(error, bundled.name, bundled.map, label) : label;
    post({ wrong: `${position}: ${thrownReason(error)}` });
  }
}

/** Trial thread: loads the protocol before the server starts, and checks that the module exports a valid one. */
import { parentPort, workerData } from "node:worker_threads";
import { thrownAt, thrownReason } from "../../config/config.js";
import { takeProtocolLines } from "../../tcp/observe/protocol-log.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import { importProtocol, type ProtocolModule } from "./protocol-module.js";

/** Data for the thread. */
export interface Trial {
  readonly module: ProtocolModule;
  /** Name of the file in messages. */
  readonly label: string;
}

/** Result that the thread posts. */
export type Verdict = { readonly name: string; readonly groups: boolean } | { readonly wrong: string };

export async function runTrial(): Promise<void> {
  const { module: candidate, label } = workerData as Trial;
  // What the module logs while it is loaded is logged by the workers.
  takeProtocolLines();
  const post = (verdict: Verdict) => parentPort?.postMessage(verdict);
  try {
    const protocol = await importProtocol(candidate);
    if (protocol === undefined) {
      return post({ wrong: `${label}: has no default export: write export default defineProtocol({ … })` });
    }
    validateProtocol(protocol);
    post({ name: protocol.name, groups: protocol.takes !== undefined || protocol.answers !== undefined });
  } catch (error) {
    const position = "user" in candidate ? thrownAt(error, candidate.user, label) : label;
    post({ wrong: `${position}: ${thrownReason(error)}` });
  }
}

/** Trial thread: loads the protocol before the server starts, and checks that the module exports a valid one. */
import { parentPort, workerData } from "node:worker_threads";
import { thrownAt, thrownReason } from "../../config/config.js";
import { takeProtocolLines } from "../../tcp/observe/protocol-log.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import { importProtocol, type ProtocolModule } from "./protocol-module.js";

/** Data for the thread. */
export interface Trial {
  readonly module: ProtocolModule;
  /** Name of the file in messages. */
  readonly label: string;
}

/** What is known of the protocol outside of the thread. */
export interface ProtocolFacts {
  /** The protocol's own name. */
  readonly name: string;
  /** Whether it takes messages of groups. */
  readonly groups: boolean;
  /** Maximum number of workers, of it and of all protocols that its connections may become. */
  readonly workers: number;
}

/** Result that the thread posts. */
export type Verdict = ProtocolFacts | { readonly wrong: string };

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
    const family = new Map<string, AnyProtocol>();
    validateProtocol(protocol, family);
    const workers = Math.min(...[...family.values()].map(({ workers = Infinity }) => workers));
    const groups = protocol.takes !== undefined || protocol.answers !== undefined;
    post({ name: protocol.name, groups, workers });
  } catch (error) {
    const position = "user" in candidate ? thrownAt(error, candidate.user, label) : label;
    post({ wrong: `${position}: ${thrownReason(error)}` });
  }
}
